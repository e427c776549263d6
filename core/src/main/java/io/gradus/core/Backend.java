package io.gradus.core;

import io.gradus.core.kernel.AttentionKernels;
import io.gradus.core.kernel.CastKernels;
import io.gradus.core.kernel.CrossEntropyKernels;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.kernel.EmbeddingKernels;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.core.kernel.MovementKernels;
import io.gradus.core.kernel.NormalizationKernels;
import io.gradus.core.kernel.OptimizerStepKernels;
import io.gradus.core.kernel.RandomKernels;
import io.gradus.core.kernel.ReductionKernels;
import io.gradus.core.kernel.RotaryKernels;
import io.gradus.core.kernel.SoftmaxKernels;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/**
 * One device's memory and kernels. A kernel reads its operands and writes into an output that the caller made; it never
 * allocates a result. Where a kernel takes {@code accumulate}, true adds to what the output holds and false overwrites it
 * without reading it (the output may hold anything, NaN included).
 *
 * <p>Each family checks shapes and dtypes with the static checks of its interface before it touches memory.
 */
public interface Backend {

    /** A line for a person: the processor, the threads, the instruction set. */
    String description();

    /** Takes memory whose content is undefined. */
    Storage allocate(long bytes, MemoryCategory category);

    /** {@link #allocate(long, MemoryCategory)} for a device that keeps elements of different dtypes in different places. */
    default Storage allocate(DType dtype, long elements, MemoryCategory category) {
        return allocate(Math.multiplyExact(elements, dtype.bytes()), category);
    }

    /** Bytes in use, by category. */
    MemoryLedger memory();

    /** The most bytes that tensors can have here; {@link Long#MAX_VALUE} where nobody knows. */
    default long capacity() {
        return Long.MAX_VALUE;
    }

    /**
     * What the device counted since it was first used, by name, such as how many kernels were launched; empty where it counts
     * nothing.
     */
    default Map<String, Double> counters() {
        return Map.of();
    }

    /** Copies raw elements (in the target's dtype, little-endian, row-major) from host memory into a tensor. */
    void upload(MemorySegment source, Tensor target);

    /** Copies a tensor's raw elements to host memory. */
    void download(Tensor source, MemorySegment target);

    GemmKernels gemm();

    ElementwiseKernels elementwise();

    ReductionKernels reduction();

    SoftmaxKernels softmax();

    CrossEntropyKernels crossEntropy();

    NormalizationKernels normalization();

    RotaryKernels rotary();

    AttentionKernels attention();

    EmbeddingKernels embedding();

    MovementKernels movement();

    RandomKernels random();

    OptimizerStepKernels optimizerSteps();

    CastKernels cast();
}
