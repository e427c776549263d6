package io.gradus.core.kernel;

/**
 * The kernels of one device, one object per family. A {@link io.gradus.core.Backend} provides kernels that trust their
 * operands; {@link io.gradus.core.Device#kernels()} provides the same kernels behind checks of every operand.
 */
public record Kernels(
        GemmKernels gemm,
        ElementwiseKernels elementwise,
        ReductionKernels reduction,
        SoftmaxKernels softmax,
        CrossEntropyKernels crossEntropy,
        NormalizationKernels normalization,
        RotaryKernels rotary,
        AttentionKernels attention,
        LstmKernels lstm,
        EmbeddingKernels embedding,
        MovementKernels movement,
        ScanKernels scan,
        RandomKernels random,
        OptimizerStepKernels optimizerSteps,
        CastKernels cast) {

    /** These kernels, with shapes, dtypes and devices checked before each call. */
    public Kernels checked() {
        CheckedKernels c = new CheckedKernels(this);
        return new Kernels(c, c, c, c, c, c, c, c, c, c, c, c, c, c, c);
    }
}
