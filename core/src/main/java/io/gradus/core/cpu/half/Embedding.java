package io.gradus.core.cpu.half;

import static io.gradus.core.cpu.half.Blocks.Operand.in;
import static io.gradus.core.cpu.half.Blocks.Operand.out;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.EmbeddingKernels;

/** Rows of a table. The kernels convert rows themselves; only a gradient of 16 bits is summed in F32 first. */
record Embedding(EmbeddingKernels kernels) implements EmbeddingKernels {

    @Override
    public void gather(Tensor weight, Tensor ids, Tensor out) {
        kernels.gather(weight, ids, out);
    }

    @Override
    public void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate) {
        if (Blocks.anyHalf(dy, dweight)) {
            Blocks.whole(
                    (_, b) -> kernels.scatterAdd(ids, b.get(0), b.get(1), accumulate),
                    in(dy),
                    out(dweight, accumulate));
        } else {
            kernels.scatterAdd(ids, dy, dweight, accumulate);
        }
    }
}
