/** Short programs, each readable top to bottom, each with a {@code main}. */
@NullMarked
package io.gradus.examples;

import org.jspecify.annotations.NullMarked;
