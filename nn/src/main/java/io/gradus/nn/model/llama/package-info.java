/** Llama, Mistral and Qwen2: one architecture with a few options. */
@NullMarked
package io.gradus.nn.model.llama;

import org.jspecify.annotations.NullMarked;
