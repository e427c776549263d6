package io.gradus.core;

/** Which two of a head's D elements form pair i of D/2 in rotary position embedding. */
public enum RopeLayout {
    /** Elements i and i + D/2, as in Hugging Face's Llama. */
    HALF_SPLIT,
    /** Elements 2i and 2i + 1, as in the paper (Su et al. 2021). */
    INTERLEAVED
}
