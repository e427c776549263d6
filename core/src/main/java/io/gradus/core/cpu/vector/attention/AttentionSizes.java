package io.gradus.core.cpu.vector.attention;

import io.gradus.core.AttentionOptions;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.vector.gemm.Matrix;
import io.gradus.core.kernel.AttentionKernels;

/** The sizes of one call of {@link Attention}, named as in {@link AttentionKernels}, and the layout of its heads. */
record AttentionSizes(long b, int t, int s, int h, int g, int d, AttentionOptions options) {

    static AttentionSizes of(Tensor q, Tensor k, AttentionOptions settings) {
        return new AttentionSizes(
                q.shape().get(0),
                Math.toIntExact(q.shape().get(1)),
                Math.toIntExact(k.shape().get(1)),
                Math.toIntExact(q.shape().get(2)),
                Math.toIntExact(k.shape().get(2)),
                Math.toIntExact(q.shape().get(3)),
                settings);
    }

    /** The number of keys before that of the first query. */
    int lead() {
        return s - t;
    }

    /** The number of leading keys visible to the last query before {@code t1}. */
    int visible(int t1) {
        return options.endOfKeys(t1 - 1, t, s);
    }

    /** The factor of the products of queries and keys. */
    float scale() {
        return (float) options.scale();
    }

    /** The queries of one head, one per row. */
    Matrix queries(Tensor tensor, long b, int h) {
        return new Matrix(CpuStorage.of(tensor), (b * t * this.h + h) * d, (long) this.h * d, false);
    }

    /** The keys of one key-value head, one per row. */
    Matrix keys(Tensor tensor, long b, int g) {
        return new Matrix(CpuStorage.of(tensor), (b * s * this.g + g) * d, (long) this.g * d, false);
    }

    /** The first key visible to a query, which may be negative. */
    int firstKey(long b, int query) {
        int first = options.firstKey(query, t, s);
        Tensor documentStarts = options.documentStarts();
        return documentStarts == null
                ? first
                : Math.max(first, CpuStorage.getInt(CpuStorage.of(documentStarts), b * t + query));
    }

    /** Whether a key is padding. */
    boolean hides(long b, int key) {
        Tensor mask = options.attentionMask();
        return mask != null && CpuStorage.getInt(CpuStorage.of(mask), b * s + key) == 0;
    }
}
