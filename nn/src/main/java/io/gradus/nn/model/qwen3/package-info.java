/** Qwen3. */
@NullMarked
package io.gradus.nn.model.qwen3;

import org.jspecify.annotations.NullMarked;
