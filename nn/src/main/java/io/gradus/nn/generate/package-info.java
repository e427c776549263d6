/** Text generation: the loop that appends tokens, and the choice of each token. */
@NullMarked
package io.gradus.nn.generate;

import org.jspecify.annotations.NullMarked;
