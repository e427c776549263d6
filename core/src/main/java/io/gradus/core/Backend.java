package io.gradus.core;

import io.gradus.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;

/**
 * The memory and kernels of one device. A kernel reads its operands and writes to an output that the caller allocated; it
 * never allocates a result. If a kernel takes {@code accumulate}, true adds to the output, and false overwrites it without
 * reading it, so that uninitialized memory and NaN do no harm.
 */
public interface Backend {

    /** A description for people: the processor, the number of threads, the instruction set. */
    String description();

    /** Allocates memory with undefined content. */
    Storage allocate(long bytes, MemoryCategory category);

    /** {@link #allocate(long, MemoryCategory)} for devices that store each dtype in its own place. */
    default Storage allocate(DType dtype, long elements, MemoryCategory category) {
        return allocate(Math.multiplyExact(elements, dtype.bytes()), category);
    }

    /** Bytes in use, by category. */
    MemoryLedger memory();

    /** The number of bytes that tensors can use on this device, or {@link Long#MAX_VALUE} if unknown. */
    default long capacity() {
        return Long.MAX_VALUE;
    }

    /**
     * Returns memory that is kept for reuse to the system, for example when tensors of other sizes follow. Does nothing on devices
     * that keep none.
     */
    default void trim() {}

    /**
     * Statistics since the device was first used, by name, such as the number of kernel launches. Empty if the device keeps
     * none.
     */
    default Map<String, Double> counters() {
        return Map.of();
    }

    /** Whether tensors have elements. If not, the device only counts their bytes, and what an upload would copy need not exist. */
    default boolean hasElements() {
        return true;
    }

    /** How precisely this backend computes matrix products of F32. */
    default MatmulPrecision matmulPrecision() {
        return MatmulPrecision.HIGHEST;
    }

    /**
     * A backend of the same memory that computes matrix products of F32 in another precision. By default there is none.
     *
     * @param precision not that of this backend
     */
    default Optional<Backend> withMatmulPrecision(MatmulPrecision precision) {
        return Optional.empty();
    }

    /**
     * Whether kernels read and write tensors of a dtype wherever they take F32, and each rounds its result once. If not, 16-bit
     * floats only store: see {@link DType#computed()}.
     */
    default boolean computesIn(DType dtype) {
        return dtype == DType.F32;
    }

    /** Copies raw elements (in the target's dtype, little-endian, row-major) from host memory into a tensor. */
    void upload(MemorySegment source, Tensor target);

    /** Copies a tensor's raw elements to host memory. */
    void download(Tensor source, MemorySegment target);

    /** The kernels, which trust their operands; callers use the checked ones of {@link Device#kernels()}. */
    Kernels kernels();
}
