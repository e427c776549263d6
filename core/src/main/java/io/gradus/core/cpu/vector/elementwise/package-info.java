/** Elementwise functions and their derivatives. */
@NullMarked
package io.gradus.core.cpu.vector.elementwise;

import org.jspecify.annotations.NullMarked;
