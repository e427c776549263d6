package io.gradus.optim;

/**
 * How the update of one parameter may be divided among processes of which each has a part of the optimizer's state (ZeRO; Rajbhandari
 * et al. 2020).
 */
public enum Sharding {
    /** One process updates the whole parameter. This is right for every method. */
    WHOLE,
    /**
     * Each process updates a range of the parameter's elements, as if the range were a parameter with one axis. The result must be
     * that of an update of the whole, to the bit, and each state tensor of the parameter must consist of those of its ranges, one
     * after the other. That is so if each element depends only on its own gradient and state, or only on those of a block of 2ⁿ
     * elements. Ranges begin at multiples of {@link io.gradus.core.kernel.ReductionKernels#SQUARES_CHUNK 2¹⁵ elements}, and a part of
     * a parameter has at least so many.
     */
    RANGES
}
