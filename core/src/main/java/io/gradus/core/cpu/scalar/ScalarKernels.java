package io.gradus.core.cpu.scalar;

import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.Kernels;
import io.gradus.core.reference.CrossEntropy;
import io.gradus.core.reference.Normalization;
import io.gradus.core.reference.Softmax;

/** The kernels of a JVM without the Vector API. */
public final class ScalarKernels {
    private ScalarKernels() {}

    public static Kernels create(Workers workers) {
        return new Kernels(
                new Gemm(workers),
                new Elementwise(workers),
                new Reduction(workers),
                new Softmax(),
                new CrossEntropy(),
                new Normalization(),
                new Rotary(workers),
                new Attention(workers),
                new Lstm(workers),
                new Embedding(workers),
                new Movement(workers),
                new Scan(workers),
                new Random(workers),
                new OptimizerSteps(workers),
                new Cast(workers));
    }
}
