package io.gradus.autograd;

import io.gradus.core.DType;
import io.gradus.core.GradientBuffer;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;

/** Writes to gradient buffers of 16 bits that several kernels may add to. */
final class HalfBuffers {
    private HalfBuffers() {}

    /** Lets a kernel that writes each element once write to a buffer; to a copy in F32 if the device does not compute in its dtype. */
    static void writeOnce(GradientBuffer buffer, Gradients.Writer writer) {
        Tensor stored = buffer.gradient();
        if (stored.backend().computesIn(stored.dtype())) {
            writer.write(stored, buffer.accumulate());
        } else {
            write(buffer, writer);
        }
    }

    /**
     * Lets kernels write to a buffer. A buffer of 16 bits is converted to F32 before and back after: what one
     * operation contributes is summed in F32 and rounded once. Each further operation that reads the same parameter,
     * and each further backward pass, rounds once more.
     */
    static void write(GradientBuffer buffer, Gradients.Writer writer) {
        Tensor stored = buffer.gradient();
        if (!stored.dtype().isHalf()) {
            writer.write(stored, buffer.accumulate());
            return;
        }
        Tensor single = Tensor.empty(stored.device(), DType.F32, stored.shape(), MemoryCategory.WORKSPACE);
        if (buffer.accumulate()) {
            single.copyFrom(stored);
        }
        writer.write(single, buffer.accumulate());
        stored.copyFrom(single);
        single.release();
    }
}
