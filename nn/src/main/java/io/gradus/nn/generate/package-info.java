/** Text generation: how the next token is chosen, and the loop that appends it. */
@NullMarked
package io.gradus.nn.generate;

import org.jspecify.annotations.NullMarked;
