package io.gradus.gpu.attention;

import static io.gradus.gpu.attention.Tile.GROUP;
import static io.gradus.gpu.attention.Tile.SIDE;
import static io.gradus.gpu.attention.Tile.STRIDE;
import static io.gradus.gpu.attention.Tile.TILE;

import io.gradus.core.Tensor;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Attention without the T × S matrix of scores in memory (Dao et al. 2022, algorithm 1, with the softmax of Milakov
 * &amp; Gimelshein 2018). A work-group has 32 queries of one head and visits the keys in tiles of 32. For each query it
 * keeps the largest score m so far, the sum l of {@code exp(score − m)}, and the sum o of the values with these
 * weights. The next tile of keys raises m to m′ and updates
 *
 * <pre>  l to l·exp(m − m′) + Σ exp(score − m′)    and    o to o·exp(m − m′) + Σ exp(score − m′)·value</pre>
 *
 * At the end the output is o/l and its logarithm is {@code m + ln l}. The sums o are kept in the memory of the output,
 * each element by one work-item, so a head may have any size. Tiles of keys that no query of the group attends to are
 * skipped.
 */
final class AttentionForward {
    private static final Kernel FORWARD =
            Kernel.of("attention", AttentionForward::forwardKernel).group(SIDE, SIDE);

    // The descriptor; the mask and the document starts come first.
    private static final int Q = 2;
    private static final int K = 3;
    private static final int V = 4;
    private static final int OUT = 5;
    private static final int LOG = 6;

    private AttentionForward() {}

    static void run(Launcher launcher, AttentionSizes z, Tensor out, Tensor logSumExp) {
        launcher.run(
                FORWARD,
                z.batch() * z.heads() * Math.ceilDiv(z.queries(), TILE) * SIDE,
                SIDE,
                z.ints(),
                z.floats(),
                z.mask(),
                z.starts(),
                z.q(),
                z.k(),
                z.v(),
                out,
                logSumExp);
    }

    private static void forwardKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            IntArray mask,
            IntArray starts,
            FloatArray q,
            FloatArray k,
            FloatArray v,
            FloatArray out,
            FloatArray logSumExp) {
        float[] us = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] ws = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] ps = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] largest = c.allocateFloatLocalArray(TILE);
        float[] sums = c.allocateFloatLocalArray(TILE);
        float[] factors = c.allocateFloatLocalArray(TILE);
        int queries = d.get(AttentionSizes.T);
        int keys = d.get(AttentionSizes.S);
        int heads = d.get(AttentionSizes.H);
        int keyHeads = d.get(AttentionSizes.G);
        int dims = d.get(AttentionSizes.D);
        int blocks = (queries + TILE - 1) / TILE;
        int b = c.groupIdx / blocks / heads;
        int head = c.groupIdx / blocks % heads;
        int keyHead = head / (heads / keyHeads);
        int query0 = c.groupIdx % blocks * TILE;
        int qStride = heads * dims;
        int kStride = keyHeads * dims;
        int qTile = ((b * queries + query0) * heads + head) * dims;
        int qAt = d.get(Q) + qTile;
        int outAt = d.get(OUT) + qTile;
        int qLines = queries - query0;
        int x = c.localIdx;
        int y = c.localIdy;
        int item = y * SIDE + x;
        if (item < TILE) {
            largest[item] = Float.NEGATIVE_INFINITY;
            sums[item] = 0;
        }
        int start = AttentionSizes.firstKey(d, starts, b, query0);
        int end = AttentionSizes.endOfKeys(d, starts, query0);
        for (int key0 = start; key0 < end; key0 += TILE) {
            int kLines = keys - key0;
            int kTile = ((b * keys + key0) * keyHeads + keyHead) * dims;
            int kAt = d.get(K) + kTile;
            int vAt = d.get(V) + kTile;
            // scores
            float s00 = 0;
            float s01 = 0;
            float s10 = 0;
            float s11 = 0;
            for (int from = 0; from < dims; from += TILE) {
                for (int e = item; e < TILE * TILE; e += GROUP) {
                    us[Tile.byColumn(e)] = Tile.element(q, qAt, qStride, qLines, e, from, dims);
                    ws[Tile.byColumn(e)] = Tile.element(k, kAt, kStride, kLines, e, from, dims);
                }
                c.localBarrier();
                int depth = dims - from < TILE ? dims - from : TILE;
                for (int i = 0; i < depth; i++) {
                    float u0 = us[i * STRIDE + y];
                    float u1 = us[i * STRIDE + y + SIDE];
                    float w0 = ws[i * STRIDE + x];
                    float w1 = ws[i * STRIDE + x + SIDE];
                    s00 += u0 * w0;
                    s01 += u0 * w1;
                    s10 += u1 * w0;
                    s11 += u1 * w1;
                }
                c.localBarrier();
            }
            s00 = score(d, mask, starts, b, query0 + y, key0 + x, AttentionSizes.score(s, s00));
            s01 = score(d, mask, starts, b, query0 + y, key0 + x + SIDE, AttentionSizes.score(s, s01));
            s10 = score(d, mask, starts, b, query0 + y + SIDE, key0 + x, AttentionSizes.score(s, s10));
            s11 = score(d, mask, starts, b, query0 + y + SIDE, key0 + x + SIDE, AttentionSizes.score(s, s11));
            ps[y * STRIDE + x] = s00;
            ps[y * STRIDE + x + SIDE] = s01;
            ps[(y + SIDE) * STRIDE + x] = s10;
            ps[(y + SIDE) * STRIDE + x + SIDE] = s11;
            c.localBarrier();
            // update the maxima
            if (item < TILE) {
                float before = largest[item];
                float now = before;
                for (int i = 0; i < TILE && i < kLines; i++) {
                    float score = ps[item * STRIDE + i];
                    now = score > now ? score : now;
                }
                factors[item] = weight(before, now);
                largest[item] = now;
            }
            c.localBarrier();
            // weights relative to the maxima
            ps[y * STRIDE + x] = weight(s00, largest[y]);
            ps[y * STRIDE + x + SIDE] = weight(s01, largest[y]);
            ps[(y + SIDE) * STRIDE + x] = weight(s10, largest[y + SIDE]);
            ps[(y + SIDE) * STRIDE + x + SIDE] = weight(s11, largest[y + SIDE]);
            c.localBarrier();
            if (item < TILE) {
                float sum = 0;
                for (int i = 0; i < TILE && i < kLines; i++) {
                    sum += ps[item * STRIDE + i];
                }
                sums[item] = sums[item] * factors[item] + sum;
            }
            // add the weighted values
            for (int from = 0; from < dims; from += TILE) {
                for (int e = item; e < TILE * TILE; e += GROUP) {
                    ws[Tile.byRow(e)] = Tile.element(v, vAt, kStride, kLines, e, from, dims);
                }
                c.localBarrier();
                float o00 = 0;
                float o01 = 0;
                float o10 = 0;
                float o11 = 0;
                int depth = kLines < TILE ? kLines : TILE;
                for (int i = 0; i < depth; i++) {
                    float u0 = ps[y * STRIDE + i];
                    float u1 = ps[(y + SIDE) * STRIDE + i];
                    float w0 = ws[i * STRIDE + x];
                    float w1 = ws[i * STRIDE + x + SIDE];
                    o00 += u0 * w0;
                    o01 += u0 * w1;
                    o10 += u1 * w0;
                    o11 += u1 * w1;
                }
                c.localBarrier();
                Tile.add(
                        out,
                        outAt,
                        qStride,
                        qLines,
                        y,
                        from + x,
                        dims,
                        factors[y],
                        factors[y + SIDE],
                        o00,
                        o01,
                        o10,
                        o11,
                        key0 == start);
            }
        }
        c.localBarrier();
        float sum0 = sums[y];
        float sum1 = sums[y + SIDE];
        boolean none = start >= end;
        for (int from = 0; from < dims; from += TILE) {
            divide(out, outAt, qStride, qLines, y, from + x, dims, sum0, none);
            divide(out, outAt, qStride, qLines, y, from + x + SIDE, dims, sum0, none);
            divide(out, outAt, qStride, qLines, y + SIDE, from + x, dims, sum1, none);
            divide(out, outAt, qStride, qLines, y + SIDE, from + x + SIDE, dims, sum1, none);
        }
        if (item < TILE && item < qLines) {
            logSumExp.set(
                    d.get(LOG) + (b * heads + head) * queries + query0 + item,
                    largest[item] + TornadoMath.log(sums[item]));
        }
    }

    /** The score, or −∞ if the query does not attend to the key. */
    private static float score(IntArray d, IntArray mask, IntArray starts, int b, int query, int key, float score) {
        float own = Float.NEGATIVE_INFINITY;
        if (AttentionSizes.attends(d, mask, starts, b, query, key)) {
            own = score;
        }
        return own;
    }

    /** {@code exp(score − largest)}; 0 if all scores so far are −∞. */
    private static float weight(float score, float largest) {
        float shift = largest == Float.NEGATIVE_INFINITY ? 0 : largest;
        return TornadoMath.exp(score - shift);
    }

    /** {@code o / l}; 0 if the query attends to no key, in which case nothing may have been written yet. */
    private static void divide(
            FloatArray out, int tile, int stride, int lines, int line, int along, int dims, float sum, boolean none) {
        if (line < lines && along < dims) {
            int at = tile + line * stride + along;
            float o = 0;
            if (!none && sum != 0) {
                o = out.get(at) / sum;
            }
            out.set(at, o);
        }
    }
}
