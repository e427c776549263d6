package io.gradus.core.cpu.common;

import io.gradus.core.Shape;

/** Maps items of a broadcast batch to matrices of an operand. */
public record BatchOffsets(long[] lengths, long[] strides) {

    /**
     * @param own the batch axes of the operand
     * @param batch the axes that they are broadcast to
     */
    public BatchOffsets(Shape own, Shape batch) {
        this(batch.toArray(), own.broadcastStrides(batch));
    }

    /** The index of the matrix for an item. */
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
