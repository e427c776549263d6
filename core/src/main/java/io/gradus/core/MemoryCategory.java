package io.gradus.core;

/** What memory is used for. Every allocation has a category, so that a run can report where its bytes went. */
public enum MemoryCategory {
    /** Parameters of the model. */
    WEIGHTS,
    /** Gradients of parameters and of activations. */
    GRADIENTS,
    /** Optimizer state of each parameter, such as moments. */
    OPTIMIZER_STATE,
    /** Results of the forward pass, kept for the backward pass. */
    ACTIVATIONS,
    /** Temporary memory within one operation. */
    WORKSPACE
}
