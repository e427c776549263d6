/** Gemma 2 and Gemma 3. */
@NullMarked
package io.gradus.nn.model.gemma;

import org.jspecify.annotations.NullMarked;
