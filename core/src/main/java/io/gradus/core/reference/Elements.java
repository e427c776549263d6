package io.gradus.core.reference;

import io.gradus.core.DType;
import io.gradus.core.HostStorage;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The elements of one tensor, indexed in row-major order. */
record Elements(MemorySegment memory, boolean isDouble) {
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    static Elements of(Tensor tensor) {
        return new Elements(HostStorage.of(tensor), tensor.dtype() == DType.F64);
    }

    double get(long i) {
        return isDouble ? memory.getAtIndex(DOUBLE, i) : memory.getAtIndex(FLOAT, i);
    }

    void set(long i, double value) {
        if (isDouble) {
            memory.setAtIndex(DOUBLE, i, value);
        } else {
            memory.setAtIndex(FLOAT, i, (float) value);
        }
    }

    void add(long i, double value) {
        set(i, get(i) + value);
    }

    /** Adds to element i, or overwrites it without reading it. */
    void put(long i, double value, boolean accumulate) {
        set(i, accumulate ? get(i) + value : value);
    }

    int getInt(long i) {
        return memory.getAtIndex(INT, i);
    }

    void setInt(long i, int value) {
        memory.setAtIndex(INT, i, value);
    }

    int getByte(long i) {
        return memory.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
    }

    void setByte(long i, int value) {
        memory.set(ValueLayout.JAVA_BYTE, i, (byte) value);
    }

    /** Sets all elements to zero unless {@code accumulate}. */
    void clearUnless(boolean accumulate) {
        if (!accumulate) {
            memory.fill((byte) 0);
        }
    }

    /**
     * The position of an element in memory.
     *
     * @param index the element's index, in row-major order of {@code shape}
     * @param strides the strides along each axis of {@code shape}; 0 along broadcast axes
     */
    static long position(long index, Shape shape, long[] strides) {
        long position = 0;
        for (int axis = shape.rank() - 1; axis >= 0; axis--) {
            position += index % shape.get(axis) * strides[axis];
            index /= shape.get(axis);
        }
        return position;
    }
}
