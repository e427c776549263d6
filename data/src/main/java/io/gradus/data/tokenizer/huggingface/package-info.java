/**
 * The parts of {@link io.gradus.data.tokenizer.HuggingFaceTokenizer}: the native library of Hugging Face's tokenizers, and what has
 * to be true of a file before that library reads it.
 */
@NullMarked
package io.gradus.data.tokenizer.huggingface;

import org.jspecify.annotations.NullMarked;
