/** Softmax and cross-entropy, which share the exponentials of a row. */
@NullMarked
package io.gradus.core.cpu.vector.softmax;

import org.jspecify.annotations.NullMarked;
