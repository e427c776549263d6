package io.gradus.core;

import io.gradus.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/**
 * One device's memory and kernels. A kernel reads its operands and writes into an output that the caller made; it never
 * allocates a result. Where a kernel takes {@code accumulate}, true adds to what the output holds and false overwrites it
 * without reading it (the output may hold anything, NaN included).
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

    /** The kernels, which trust their operands; callers use the checked ones of {@link Device#kernels()}. */
    Kernels kernels();
}
