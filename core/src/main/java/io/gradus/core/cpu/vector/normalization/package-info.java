/** Layer normalization and RMS normalization. */
@NullMarked
package io.gradus.core.cpu.vector.normalization;

import org.jspecify.annotations.NullMarked;
