package io.gradus.core;

/** What a piece of memory is for. Every allocation carries one, so that a run can say where its bytes went. */
public enum MemoryCategory {
    /** Parameters of the model. */
    WEIGHTS,
    /** Gradients of parameters and of activations. */
    GRADIENTS,
    /** What an optimiser remembers of each parameter, such as moments. */
    OPTIMIZER_STATE,
    /** Results of the forward pass, kept for the backward pass. */
    ACTIVATIONS,
    /** Scratch that lives within one operation. */
    WORKSPACE
}
