package io.gradus.core.cpu.scalar;

import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.Kernels;

/** All kernels of this package. */
public final class ScalarKernels {
    private ScalarKernels() {}

    public static Kernels create(Workers workers) {
        return new Kernels(
                new Gemm(workers),
                new Elementwise(workers),
                new Reduction(workers),
                new Softmax(workers),
                new CrossEntropy(workers),
                new Normalization(workers),
                new Rotary(workers),
                new Attention(workers),
                new Embedding(workers),
                new Movement(workers),
                new Scan(workers),
                new Random(workers),
                new OptimizerSteps(workers),
                new Cast(workers));
    }
}
