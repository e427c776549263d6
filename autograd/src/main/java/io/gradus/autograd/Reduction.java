package io.gradus.autograd;

/** How the losses of single samples are combined (PyTorch's {@code reduction}). */
public enum Reduction {
    /** The weighted mean over the samples that are not ignored. */
    MEAN,
    /** The weighted sum. */
    SUM,
    /** One loss per sample. */
    NONE
}
