package io.gradus.data.tokenizer.huggingface;

/**
 * The ids of two texts with the special tokens around them.
 *
 * @param types of the tokens: 0, or 1 for the second text
 */
public record TypedIds(int[] ids, int[] types) {}
