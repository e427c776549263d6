package io.gradus.core.cpu.half;

import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.VectorSupport;
import io.gradus.core.kernel.AttentionKernels;
import io.gradus.core.kernel.Kernels;

/** Kernels that read and write BF16 too. */
public final class HalfKernels {
    private HalfKernels() {}

    /**
     * Adds BF16 to kernels of F32.
     *
     * @param kernels on all threads
     * @param ofBlock the same kernels on the thread of their caller
     */
    public static Kernels over(Kernels kernels, Kernels ofBlock, Workers workers) {
        Blocks blocks = new Blocks(workers);
        Elementwise elementwise = new Elementwise(kernels.elementwise(), ofBlock.elementwise(), blocks);
        // The vector kernels of attention read and write 16-bit floats themselves.
        AttentionKernels attention = VectorSupport.isUsable()
                ? kernels.attention()
                : new Attention(kernels.attention(), ofBlock.attention(), workers);
        return new Kernels(
                new Gemm(kernels.gemm()),
                elementwise,
                new Reduction(kernels.reduction()),
                new Softmax(kernels.softmax(), ofBlock.softmax(), blocks),
                new CrossEntropy(kernels.crossEntropy(), ofBlock.crossEntropy(), blocks),
                new Normalization(kernels.normalization(), ofBlock.normalization(), elementwise, blocks),
                new Rotary(kernels.rotary(), ofBlock.rotary(), blocks),
                attention,
                kernels.lstm(),
                new Embedding(kernels.embedding(), kernels.elementwise(), ofBlock.elementwise(), workers),
                new Movement(kernels.movement(), ofBlock.movement(), blocks),
                new Scan(kernels.scan()),
                kernels.random(),
                kernels.optimizerSteps(),
                kernels.cast());
    }
}
