/** Phi-3. */
@NullMarked
package io.gradus.nn.model.phi3;

import org.jspecify.annotations.NullMarked;
