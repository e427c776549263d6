package io.gradus.gpu.attention;

import static io.gradus.gpu.attention.AttentionSizes.GROUP;
import static io.gradus.gpu.attention.AttentionSizes.SIDE;
import static io.gradus.gpu.attention.AttentionSizes.STRIDE;
import static io.gradus.gpu.attention.AttentionSizes.TILE;
import static io.gradus.gpu.runtime.Launcher.floats;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.Workspace;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The gradients of attention, with the probabilities computed again from the kept logarithms (Dao et al. 2022, algorithm 4):
 *
 * <pre>
 *   P = exp(scale·q·kᵀ − log)    dP = dO·vᵀ    dS = scale·P ⊙ (dP − Σ dO ⊙ O)
 *   dQ = dS·k                    dV = Pᵀ·dO    dK = dSᵀ·q
 * </pre>
 *
 * Two kernels, each with an owner for every element that it writes, so that nothing depends on the order of work-groups: one has
 * 32 queries of a head to a work-group, goes through the keys and makes dQ; the other has 32 keys, goes through the
 * queries of all heads that share them and makes dK and dV. A small one before them sums dO ⊙ O.
 */
final class AttentionBackward {
    private static final int STATISTICS = 5;
    private static final int DOUT = 6;
    private static final int DQ = 7;
    private static final int QUERY_OPERANDS = 8;
    private static final int DK = 7;
    private static final int DV = 8;
    private static final int KEY_OPERANDS = 9;
    private static final Kernel SUMS = Kernel.of("attention_sums", AttentionBackward::sumsKernel);
    private static final Kernel QUERIES =
            Kernel.of("attention_queries", AttentionBackward::queriesKernel).group(SIDE, SIDE);
    private static final Kernel KEYS =
            Kernel.of("attention_keys", AttentionBackward::keysKernel).group(SIDE, SIDE);

    private AttentionBackward() {}

    /** Two numbers for each query and head, which {@link #run} works with. */
    static Workspace statistics(Tensor logSumExp) {
        return Workspace.of(logSumExp, DType.F32, Shape.of(2, Math.max(1, logSumExp.size())));
    }

    static void run(
            Launcher launcher,
            AttentionSizes z,
            Tensor statistics,
            Tensor out,
            Tensor logSumExp,
            Tensor dout,
            Tensor dq,
            boolean accumulateQ,
            Tensor dk,
            boolean accumulateK,
            Tensor dv,
            boolean accumulateV) {
        long lines = logSumExp.size();
        long dims = out.shape().get(3);
        launcher.run(
                SUMS,
                lines,
                Launcher.ints(lines, z.queries(), z.heads(), dims),
                floats(),
                out,
                dout,
                logSumExp,
                statistics);
        float[] scale = floats(z.settings().scale());
        launcher.run(
                QUERIES,
                z.batch() * z.heads() * Math.ceilDiv(z.queries(), TILE) * SIDE,
                SIDE,
                z.ints(QUERY_OPERANDS, accumulateQ, false),
                scale,
                z.q(),
                z.k(),
                z.v(),
                z.mask(),
                z.first(),
                statistics,
                dout,
                dq);
        launcher.run(
                KEYS,
                z.batch() * z.keyHeads() * Math.ceilDiv(z.keys(), TILE) * SIDE,
                SIDE,
                z.ints(KEY_OPERANDS, accumulateK, accumulateV),
                scale,
                z.q(),
                z.k(),
                z.v(),
                z.mask(),
                z.first(),
                statistics,
                dout,
                dk,
                dv);
    }

    /** Of each query and head the logarithm, and {@code Σ dO ⊙ O} so many elements later. */
    private static void sumsKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray out,
            FloatArray dout,
            FloatArray logSumExp,
            FloatArray statistics) {
        int i = c.globalIdx;
        int lines = d.get(4);
        if (i < lines) {
            int queries = d.get(5);
            int heads = d.get(6);
            int dims = d.get(7);
            int query = i % queries;
            int head = i / queries % heads;
            int b = i / queries / heads;
            int line = ((b * queries + query) * heads + head) * dims;
            float sum = 0;
            for (int e = 0; e < dims; e++) {
                sum += out.get(d.get(0) + line + e) * dout.get(d.get(1) + line + e);
            }
            statistics.set(d.get(3) + i, logSumExp.get(d.get(2) + i));
            statistics.set(d.get(3) + lines + i, sum);
        }
    }

    /** A probability; 0 where the query does not see the key. */
    private static float probability(
            IntArray d,
            IntArray mask,
            IntArray first,
            int b,
            int query,
            int key,
            float score,
            FloatArray logs,
            int at) {
        float p = 0;
        if (AttentionSizes.sees(d, mask, first, b, query, key)) {
            p = TornadoMath.exp(score - logs.get(at + query));
        }
        return p;
    }

    /** {@code scale·p·(dp − sum)}; 0 where the query does not see the key, whatever the others are. */
    private static float gradient(float p, float dp, float scale, FloatArray sums, int at) {
        float ds = 0;
        if (p != 0) {
            ds = scale * p * (dp - sums.get(at));
        }
        return ds;
    }

    private static void queriesKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray q,
            FloatArray k,
            FloatArray v,
            IntArray mask,
            IntArray first,
            FloatArray statistics,
            FloatArray dout,
            FloatArray dq) {
        float[] us = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] ws = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] ps = c.allocateFloatLocalArray(TILE * STRIDE);
        int queries = d.get(AttentionSizes.T);
        int keys = d.get(AttentionSizes.S);
        int heads = d.get(AttentionSizes.H);
        int keyHeads = d.get(AttentionSizes.G);
        int dims = d.get(AttentionSizes.D);
        float scale = s.get(0);
        int blocks = (queries + TILE - 1) / TILE;
        int b = c.groupIdx / blocks / heads;
        int head = c.groupIdx / blocks % heads;
        int keyHead = head / (heads / keyHeads);
        int query0 = c.groupIdx % blocks * TILE;
        int qStride = heads * dims;
        int kStride = keyHeads * dims;
        int qTile = ((b * queries + query0) * heads + head) * dims;
        int qAt = d.get(AttentionSizes.Q) + qTile;
        int doutAt = d.get(DOUT) + qTile;
        int dqAt = d.get(DQ) + qTile;
        int qLines = queries - query0;
        int logs = d.get(STATISTICS) + (b * heads + head) * queries;
        int sums = logs + d.get(AttentionSizes.LINES) + query0;
        int x = c.localIdx;
        int y = c.localIdy;
        int item = y * SIDE + x;
        int start = AttentionSizes.documentStarts(d, first, b, query0);
        int end = AttentionSizes.endOfKeys(d, query0);
        boolean accumulate = d.get(AttentionSizes.OPTION_A) != 0;
        if (start >= end && !accumulate) {
            for (int from = 0; from < dims; from += TILE) {
                AttentionSizes.add(dq, dqAt, qStride, qLines, y, from + x, dims, 0, true);
                AttentionSizes.add(dq, dqAt, qStride, qLines, y, from + x + SIDE, dims, 0, true);
                AttentionSizes.add(dq, dqAt, qStride, qLines, y + SIDE, from + x, dims, 0, true);
                AttentionSizes.add(dq, dqAt, qStride, qLines, y + SIDE, from + x + SIDE, dims, 0, true);
            }
        }
        for (int key0 = start; key0 < end; key0 += TILE) {
            int kLines = keys - key0;
            int kTile = ((b * keys + key0) * keyHeads + keyHead) * dims;
            int kAt = d.get(AttentionSizes.K) + kTile;
            int vAt = d.get(AttentionSizes.V) + kTile;
            // the scores, and dP
            float s00 = 0;
            float s01 = 0;
            float s10 = 0;
            float s11 = 0;
            for (int from = 0; from < dims; from += TILE) {
                for (int e = item; e < TILE * TILE; e += GROUP) {
                    us[e % TILE * STRIDE + e / TILE] =
                            AttentionSizes.element(q, qAt, qStride, qLines, e / TILE, from + e % TILE, dims);
                    ws[e % TILE * STRIDE + e / TILE] =
                            AttentionSizes.element(k, kAt, kStride, kLines, e / TILE, from + e % TILE, dims);
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
            float g00 = 0;
            float g01 = 0;
            float g10 = 0;
            float g11 = 0;
            for (int from = 0; from < dims; from += TILE) {
                for (int e = item; e < TILE * TILE; e += GROUP) {
                    us[e % TILE * STRIDE + e / TILE] =
                            AttentionSizes.element(dout, doutAt, qStride, qLines, e / TILE, from + e % TILE, dims);
                    ws[e % TILE * STRIDE + e / TILE] =
                            AttentionSizes.element(v, vAt, kStride, kLines, e / TILE, from + e % TILE, dims);
                }
                c.localBarrier();
                int depth = dims - from < TILE ? dims - from : TILE;
                for (int i = 0; i < depth; i++) {
                    float u0 = us[i * STRIDE + y];
                    float u1 = us[i * STRIDE + y + SIDE];
                    float w0 = ws[i * STRIDE + x];
                    float w1 = ws[i * STRIDE + x + SIDE];
                    g00 += u0 * w0;
                    g01 += u0 * w1;
                    g10 += u1 * w0;
                    g11 += u1 * w1;
                }
                c.localBarrier();
            }
            float p00 = probability(d, mask, first, b, query0 + y, key0 + x, scale * s00, statistics, logs);
            float p01 = probability(d, mask, first, b, query0 + y, key0 + x + SIDE, scale * s01, statistics, logs);
            float p10 = probability(d, mask, first, b, query0 + y + SIDE, key0 + x, scale * s10, statistics, logs);
            float p11 =
                    probability(d, mask, first, b, query0 + y + SIDE, key0 + x + SIDE, scale * s11, statistics, logs);
            ps[y * STRIDE + x] = gradient(p00, g00, scale, statistics, sums + y);
            ps[y * STRIDE + x + SIDE] = gradient(p01, g01, scale, statistics, sums + y);
            ps[(y + SIDE) * STRIDE + x] = gradient(p10, g10, scale, statistics, sums + y + SIDE);
            ps[(y + SIDE) * STRIDE + x + SIDE] = gradient(p11, g11, scale, statistics, sums + y + SIDE);
            boolean begin = key0 == start && !accumulate;
            for (int from = 0; from < dims; from += TILE) {
                for (int e = item; e < TILE * TILE; e += GROUP) {
                    ws[e / TILE * STRIDE + e % TILE] =
                            AttentionSizes.element(k, kAt, kStride, kLines, e / TILE, from + e % TILE, dims);
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
                AttentionSizes.add(dq, dqAt, qStride, qLines, y, from + x, dims, o00, begin);
                AttentionSizes.add(dq, dqAt, qStride, qLines, y, from + x + SIDE, dims, o01, begin);
                AttentionSizes.add(dq, dqAt, qStride, qLines, y + SIDE, from + x, dims, o10, begin);
                AttentionSizes.add(dq, dqAt, qStride, qLines, y + SIDE, from + x + SIDE, dims, o11, begin);
            }
        }
    }

    private static void keysKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray q,
            FloatArray k,
            FloatArray v,
            IntArray mask,
            IntArray first,
            FloatArray statistics,
            FloatArray dout,
            FloatArray dk,
            FloatArray dv) {
        float[] us = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] ws = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] ps = c.allocateFloatLocalArray(TILE * STRIDE);
        int queries = d.get(AttentionSizes.T);
        int keys = d.get(AttentionSizes.S);
        int heads = d.get(AttentionSizes.H);
        int keyHeads = d.get(AttentionSizes.G);
        int dims = d.get(AttentionSizes.D);
        float scale = s.get(0);
        int blocks = (keys + TILE - 1) / TILE;
        int b = c.groupIdx / blocks / keyHeads;
        int keyHead = c.groupIdx / blocks % keyHeads;
        int key0 = c.groupIdx % blocks * TILE;
        int qStride = heads * dims;
        int kStride = keyHeads * dims;
        int kTile = ((b * keys + key0) * keyHeads + keyHead) * dims;
        int kAt = d.get(AttentionSizes.K) + kTile;
        int vAt = d.get(AttentionSizes.V) + kTile;
        int dkAt = d.get(DK) + kTile;
        int dvAt = d.get(DV) + kTile;
        int kLines = keys - key0;
        int x = c.localIdx;
        int y = c.localIdy;
        int item = y * SIDE + x;
        boolean accumulateK = d.get(AttentionSizes.OPTION_A) != 0;
        boolean accumulateV = d.get(AttentionSizes.OPTION_B) != 0;
        int start = AttentionSizes.firstQuery(d, key0);
        int group = heads / keyHeads;
        for (int head = keyHead * group; head < (keyHead + 1) * group; head++) {
            for (int query0 = start; query0 < queries; query0 += TILE) {
                int qLines = queries - query0;
                int qTile = ((b * queries + query0) * heads + head) * dims;
                int qAt = d.get(AttentionSizes.Q) + qTile;
                int doutAt = d.get(DOUT) + qTile;
                int logs = d.get(STATISTICS) + (b * heads + head) * queries;
                // the scores, keys down and queries across, and dP
                float s00 = 0;
                float s01 = 0;
                float s10 = 0;
                float s11 = 0;
                for (int from = 0; from < dims; from += TILE) {
                    for (int e = item; e < TILE * TILE; e += GROUP) {
                        us[e % TILE * STRIDE + e / TILE] =
                                AttentionSizes.element(k, kAt, kStride, kLines, e / TILE, from + e % TILE, dims);
                        ws[e % TILE * STRIDE + e / TILE] =
                                AttentionSizes.element(q, qAt, qStride, qLines, e / TILE, from + e % TILE, dims);
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
                float g00 = 0;
                float g01 = 0;
                float g10 = 0;
                float g11 = 0;
                for (int from = 0; from < dims; from += TILE) {
                    for (int e = item; e < TILE * TILE; e += GROUP) {
                        us[e % TILE * STRIDE + e / TILE] =
                                AttentionSizes.element(v, vAt, kStride, kLines, e / TILE, from + e % TILE, dims);
                        ws[e % TILE * STRIDE + e / TILE] =
                                AttentionSizes.element(dout, doutAt, qStride, qLines, e / TILE, from + e % TILE, dims);
                    }
                    c.localBarrier();
                    int depth = dims - from < TILE ? dims - from : TILE;
                    for (int i = 0; i < depth; i++) {
                        float u0 = us[i * STRIDE + y];
                        float u1 = us[i * STRIDE + y + SIDE];
                        float w0 = ws[i * STRIDE + x];
                        float w1 = ws[i * STRIDE + x + SIDE];
                        g00 += u0 * w0;
                        g01 += u0 * w1;
                        g10 += u1 * w0;
                        g11 += u1 * w1;
                    }
                    c.localBarrier();
                }
                float p00 = probability(d, mask, first, b, query0 + x, key0 + y, scale * s00, statistics, logs);
                float p01 = probability(d, mask, first, b, query0 + x + SIDE, key0 + y, scale * s01, statistics, logs);
                float p10 = probability(d, mask, first, b, query0 + x, key0 + y + SIDE, scale * s10, statistics, logs);
                float p11 = probability(
                        d, mask, first, b, query0 + x + SIDE, key0 + y + SIDE, scale * s11, statistics, logs);
                ps[y * STRIDE + x] = p00;
                ps[y * STRIDE + x + SIDE] = p01;
                ps[(y + SIDE) * STRIDE + x] = p10;
                ps[(y + SIDE) * STRIDE + x + SIDE] = p11;
                boolean begin = head == keyHead * group && query0 == start;
                boolean beginV = begin && !accumulateV;
                // dV = Pᵀ·dO
                for (int from = 0; from < dims; from += TILE) {
                    for (int e = item; e < TILE * TILE; e += GROUP) {
                        ws[e / TILE * STRIDE + e % TILE] =
                                AttentionSizes.element(dout, doutAt, qStride, qLines, e / TILE, from + e % TILE, dims);
                    }
                    c.localBarrier();
                    float o00 = 0;
                    float o01 = 0;
                    float o10 = 0;
                    float o11 = 0;
                    int depth = qLines < TILE ? qLines : TILE;
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
                    AttentionSizes.add(dv, dvAt, kStride, kLines, y, from + x, dims, o00, beginV);
                    AttentionSizes.add(dv, dvAt, kStride, kLines, y, from + x + SIDE, dims, o01, beginV);
                    AttentionSizes.add(dv, dvAt, kStride, kLines, y + SIDE, from + x, dims, o10, beginV);
                    AttentionSizes.add(dv, dvAt, kStride, kLines, y + SIDE, from + x + SIDE, dims, o11, beginV);
                }
                // dK = dSᵀ·q
                int sums = logs + d.get(AttentionSizes.LINES) + query0;
                ps[y * STRIDE + x] = gradient(p00, g00, scale, statistics, sums + x);
                ps[y * STRIDE + x + SIDE] = gradient(p01, g01, scale, statistics, sums + x + SIDE);
                ps[(y + SIDE) * STRIDE + x] = gradient(p10, g10, scale, statistics, sums + x);
                ps[(y + SIDE) * STRIDE + x + SIDE] = gradient(p11, g11, scale, statistics, sums + x + SIDE);
                boolean beginK = begin && !accumulateK;
                for (int from = 0; from < dims; from += TILE) {
                    for (int e = item; e < TILE * TILE; e += GROUP) {
                        ws[e / TILE * STRIDE + e % TILE] =
                                AttentionSizes.element(q, qAt, qStride, qLines, e / TILE, from + e % TILE, dims);
                    }
                    c.localBarrier();
                    float o00 = 0;
                    float o01 = 0;
                    float o10 = 0;
                    float o11 = 0;
                    int depth = qLines < TILE ? qLines : TILE;
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
                    AttentionSizes.add(dk, dkAt, kStride, kLines, y, from + x, dims, o00, beginK);
                    AttentionSizes.add(dk, dkAt, kStride, kLines, y, from + x + SIDE, dims, o01, beginK);
                    AttentionSizes.add(dk, dkAt, kStride, kLines, y + SIDE, from + x, dims, o10, beginK);
                    AttentionSizes.add(dk, dkAt, kStride, kLines, y + SIDE, from + x + SIDE, dims, o11, beginK);
                }
            }
        }
        if (queries == 0) {
            for (int from = 0; from < dims; from += TILE) {
                AttentionSizes.add(dk, dkAt, kStride, kLines, y, from + x, dims, 0, !accumulateK);
                AttentionSizes.add(dk, dkAt, kStride, kLines, y, from + x + SIDE, dims, 0, !accumulateK);
                AttentionSizes.add(dk, dkAt, kStride, kLines, y + SIDE, from + x, dims, 0, !accumulateK);
                AttentionSizes.add(dk, dkAt, kStride, kLines, y + SIDE, from + x + SIDE, dims, 0, !accumulateK);
                AttentionSizes.add(dv, dvAt, kStride, kLines, y, from + x, dims, 0, !accumulateV);
                AttentionSizes.add(dv, dvAt, kStride, kLines, y, from + x + SIDE, dims, 0, !accumulateV);
                AttentionSizes.add(dv, dvAt, kStride, kLines, y + SIDE, from + x, dims, 0, !accumulateV);
                AttentionSizes.add(dv, dvAt, kStride, kLines, y + SIDE, from + x + SIDE, dims, 0, !accumulateV);
            }
        }
    }
}
