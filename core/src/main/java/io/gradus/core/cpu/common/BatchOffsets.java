package io.gradus.core.cpu.common;

import io.gradus.core.Shape;

/** Which matrix of an operand an item of a broadcast batch reads. */
public record BatchOffsets(long[] lengths, long[] strides) {

    /**
     * @param own the axes of the operand before its matrices
     * @param batch what they are broadcast to
     */
    public BatchOffsets(Shape own, Shape batch) {
        this(batch.toArray(), own.broadcastStrides(batch));
    }

    /** The number of the matrix. */
    public long of(long item) {
        long offset = 0;
        long rest = item;
        for (int axis = lengths.length - 1; axis >= 0; axis--) {
            offset += rest % lengths[axis] * strides[axis];
            rest /= lengths[axis];
        }
        return offset;
    }
}
