package io.gradus.core.reference;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.EmbeddingKernels;

/** One id at a time. */
final class Embedding implements EmbeddingKernels {

    @Override
    public void gather(Tensor weight, Tensor ids, Tensor out) {
        Elements from = Elements.of(weight);
        Elements to = Elements.of(out);
        long length = weight.shape().get(1);
        for (long i = 0; i < ids.size(); i++) {
            int id = id(ids, i, weight);
            for (long d = 0; d < length; d++) {
                to.set(i * length + d, from.get(id * length + d));
            }
        }
    }

    @Override
    public void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate) {
        Elements from = Elements.of(dy);
        Elements to = Elements.of(dweight);
        long length = dweight.shape().get(1);
        to.clearUnless(accumulate);
        for (long i = 0; i < ids.size(); i++) {
            int id = id(ids, i, dweight);
            for (long d = 0; d < length; d++) {
                to.add(id * length + d, from.get(i * length + d));
            }
        }
    }

    private static int id(Tensor ids, long i, Tensor table) {
        int id = Elements.of(ids).getInt(i);
        long rows = table.shape().get(0);
        if (id < 0 || id >= rows) {
            throw EmbeddingKernels.badId(id, rows);
        }
        return id;
    }
}
