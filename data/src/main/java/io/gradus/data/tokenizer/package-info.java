/**
 * Tokenizers, between text and token ids. {@link io.gradus.data.tokenizer.Tokenizer#load} reads the tokenizer of a Hugging Face
 * folder: {@link io.gradus.data.tokenizer.HuggingFaceTokenizer} with the ids of transformers 5, through the Hugging Face
 * tokenizers' own library; {@link io.gradus.data.tokenizer.ByteTokenizer} one token per UTF-8 byte, in Java alone.
 * {@link io.gradus.data.tokenizer.StreamingDecoder} turns ids into text while they are still being made.
 */
@NullMarked
package io.gradus.data.tokenizer;

import org.jspecify.annotations.NullMarked;
