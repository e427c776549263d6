package io.gradus.core.cpu.common;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The elements of a tensor of F32 or BF16, read and written as floats, one by one. For kernels whose time goes elsewhere.
 *
 * @param half whether the elements are BF16
 */
public record FloatMemory(MemorySegment memory, boolean half) {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.nativeOrder());

    /** The elements of a tensor. */
    public static FloatMemory of(Tensor tensor) {
        return new FloatMemory(CpuStorage.of(tensor), tensor.dtype() == DType.BF16);
    }

    public float get(long index) {
        return half ? HostCast.fromBFloat16(memory.get(SHORT, index * 2)) : CpuStorage.get(memory, index);
    }

    public void set(long index, float value) {
        if (half) {
            memory.set(SHORT, index * 2, HostCast.toBFloat16(value));
        } else {
            CpuStorage.set(memory, index, value);
        }
    }

    /** Copies {@code count} elements, starting at {@code from}, to the start of an array. */
    public void load(long from, float[] target, int count) {
        if (!half) {
            CpuStorage.load(memory, from, target, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            target[i] = get(from + i);
        }
    }

    /** Copies {@code count} floats from the start of an array to the elements that start at {@code to}, or adds them. */
    public void store(float[] source, long to, int count, boolean accumulate) {
        if (!half && !accumulate) {
            CpuStorage.store(source, memory, to, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            set(to + i, accumulate ? get(to + i) + source[i] : source[i]);
        }
    }
}
