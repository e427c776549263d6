/**
 * From text to token ids and back. {@link io.gradus.train.text.Tokenizer#load} reads the tokeniser of a Hugging Face
 * folder: {@link io.gradus.train.text.HuggingFaceTokenizer} whatever a {@code tokenizer.json} says, through the Hugging
 * Face tokenisers' own library; {@link io.gradus.train.text.ByteTokenizer} one token per UTF-8 byte, in Java alone.
 * {@link io.gradus.train.text.StreamingDecoder} turns ids into text while they are still being made.
 */
@NullMarked
package io.gradus.train.text;

import org.jspecify.annotations.NullMarked;
