package io.gradus.gpu.attention;

import static io.gradus.gpu.attention.Tile.GROUP;
import static io.gradus.gpu.attention.Tile.SIDE;
import static io.gradus.gpu.attention.Tile.STRIDE;
import static io.gradus.gpu.attention.Tile.TILE;
import static io.gradus.gpu.runtime.Launcher.flag;
import static io.gradus.gpu.runtime.Launcher.floats;
import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.GradientBuffer;
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
 * The gradients of attention, with the probabilities recomputed from the saved logarithms (Dao et al. 2022, algorithm 4):
 *
 * <pre>
 *   P = exp(scale·q·kᵀ − log)    dP = dO·vᵀ    dS = scale·P ⊙ (dP − Σ dO ⊙ O)
 *   dQ = dS·k                    dK = dSᵀ·q    dV = Pᵀ·dO
 * </pre>
 *
 * One kernel is launched twice, so that each element of a result is written by a single work-group and no result depends on the
 * order of work-groups. In the first launch a work-group owns 32 queries of a head, visits the keys and computes dQ. In the
 * second it owns 32 keys, visits the queries of all heads that share them, and computes dK and dV. A product of the owned and the
 * visited lines is S or dP in the first launch and its transpose in the second. A small kernel computes Σ dO ⊙ O beforehand.
 */
final class AttentionBackward {
    private static final Kernel SUMS = Kernel.of("attention_sums", AttentionBackward::sumsKernel);
    private static final Kernel BACKWARD =
            Kernel.of("attention_backward", AttentionBackward::backwardKernel).group(SIDE, SIDE);

    // The descriptor of SUMS.
    private static final int SUMS_OUT = 0;
    private static final int SUMS_DOUT = 1;
    private static final int SUMS_LOG = 2;
    private static final int SUMS_STATISTICS = 3;
    private static final int SUMS_LINES = Kernel.INTS;
    private static final int SUMS_T = Kernel.INTS + 1;
    private static final int SUMS_H = Kernel.INTS + 2;
    private static final int SUMS_D = Kernel.INTS + 3;

    // The descriptor of BACKWARD; the mask and the document starts come first.
    private static final int OWN = 2;
    private static final int VISITED = 3;
    private static final int OWN_OF_DP = 4;
    private static final int VISITED_OF_DP = 5;
    private static final int STATISTICS = 6;
    private static final int D_OWN = 7;
    private static final int D_VALUE = 8;
    private static final int OWNS_KEYS = AttentionSizes.MORE;
    private static final int LINES = AttentionSizes.MORE + 1;
    private static final int ACCUMULATE_OWN = AttentionSizes.MORE + 2;
    private static final int ACCUMULATE_VALUE = AttentionSizes.MORE + 3;

    private AttentionBackward() {}

    /** The workspace of {@link #run}: the logarithm of each query and head, followed by {@code Σ dO ⊙ O} of each. */
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
            GradientBuffer dq,
            GradientBuffer dk,
            GradientBuffer dv) {
        int lines = Math.toIntExact(logSumExp.size());
        int[] sizes = ints(lines, z.queries(), z.heads(), out.shape().get(3));
        launcher.run(SUMS, lines, sizes, floats(), out, dout, logSumExp, statistics);
        launcher.run(
                BACKWARD,
                z.batch() * z.heads() * Math.ceilDiv(z.queries(), TILE) * SIDE,
                SIDE,
                z.ints(flag(false), lines, flag(dq.accumulate()), flag(false)),
                z.floats(),
                z.mask(),
                z.starts(),
                z.q(),
                z.k(),
                dout,
                z.v(),
                statistics,
                dq.gradient(),
                dv.gradient()); // not written
        launcher.run(
                BACKWARD,
                z.batch() * z.keyHeads() * Math.ceilDiv(z.keys(), TILE) * SIDE,
                SIDE,
                z.ints(flag(true), lines, flag(dk.accumulate()), flag(dv.accumulate())),
                z.floats(),
                z.mask(),
                z.starts(),
                z.k(),
                z.q(),
                z.v(),
                dout,
                statistics,
                dk.gradient(),
                dv.gradient());
    }

    private static void sumsKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            FloatArray out,
            FloatArray dout,
            FloatArray logSumExp,
            FloatArray statistics) {
        int i = c.globalIdx;
        int lines = d.get(SUMS_LINES);
        if (i < lines) {
            int queries = d.get(SUMS_T);
            int heads = d.get(SUMS_H);
            int dims = d.get(SUMS_D);
            int query = i % queries;
            int head = i / queries % heads;
            int b = i / queries / heads;
            int line = ((b * queries + query) * heads + head) * dims;
            float sum = 0;
            for (int e = 0; e < dims; e++) {
                sum += out.get(d.get(SUMS_OUT) + line + e) * dout.get(d.get(SUMS_DOUT) + line + e);
            }
            statistics.set(d.get(SUMS_STATISTICS) + i, logSumExp.get(d.get(SUMS_LOG) + i));
            statistics.set(d.get(SUMS_STATISTICS) + lines + i, sum);
        }
    }

    /** A probability; 0 if the query does not attend to the key. */
    private static float probability(
            IntArray d,
            IntArray mask,
            IntArray starts,
            int b,
            int own,
            int visited,
            float score,
            FloatArray logs,
            int at) {
        boolean ownsKeys = d.get(OWNS_KEYS) != 0;
        int query = ownsKeys ? visited : own;
        int key = ownsKeys ? own : visited;
        float p = 0;
        if (AttentionSizes.attends(d, mask, starts, b, query, key)) {
            p = TornadoMath.exp(score - logs.get(at + query));
        }
        return p;
    }

    /**
     * {@code scale·p·(dp − sum)}, where the scale includes the slope of a softcap; 0 if the query does not attend to the key,
     * whatever the other numbers are.
     */
    private static float gradient(
            IntArray d, float p, float dp, float scale, FloatArray sums, int at, int own, int visited) {
        float ds = 0;
        if (p != 0) {
            int query = d.get(OWNS_KEYS) != 0 ? visited : own;
            ds = scale * p * (dp - sums.get(at + query));
        }
        return ds;
    }

    /** {@link Tile#element} of one of two tensors: TornadoVM cannot compile a variable that holds one of two arrays. */
    private static float element(
            boolean first, FloatArray x, FloatArray z, int at, int stride, int lines, int e, int from, int dims) {
        float element;
        if (first) {
            element = Tile.element(x, at, stride, lines, e, from, dims);
        } else {
            element = Tile.element(z, at, stride, lines, e, from, dims);
        }
        return element;
    }

    private static void backwardKernel(
            KernelContext c,
            IntArray d,
            FloatArray s,
            IntArray mask,
            IntArray starts,
            FloatArray own,
            FloatArray visited,
            FloatArray ownOfDp,
            FloatArray visitedOfDp,
            FloatArray statistics,
            FloatArray dOwn,
            FloatArray dValue) {
        float[] us = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] ws = c.allocateFloatLocalArray(TILE * STRIDE);
        float[] ps = c.allocateFloatLocalArray(TILE * STRIDE);
        int queries = d.get(AttentionSizes.T);
        int heads = d.get(AttentionSizes.H);
        int keyHeads = d.get(AttentionSizes.G);
        int dims = d.get(AttentionSizes.D);
        float scale = s.get(AttentionSizes.SCALE);
        boolean ownsKeys = d.get(OWNS_KEYS) != 0;
        int group = heads / keyHeads;
        int ownLength = ownsKeys ? d.get(AttentionSizes.S) : queries;
        int ownHeads = ownsKeys ? keyHeads : heads;
        int visitedLength = ownsKeys ? queries : d.get(AttentionSizes.S);
        int visitedHeads = ownsKeys ? heads : keyHeads;

        int tiles = (ownLength + TILE - 1) / TILE;
        int b = c.groupIdx / tiles / ownHeads;
        int head = c.groupIdx / tiles % ownHeads;
        int own0 = c.groupIdx % tiles * TILE;
        int ownAt = ((b * ownLength + own0) * ownHeads + head) * dims;
        int ownStride = ownHeads * dims;
        int ownLines = ownLength - own0;
        int visitedStride = visitedHeads * dims;
        int firstHead = ownsKeys ? head * group : head / group;
        int endOfHeads = ownsKeys ? firstHead + group : firstHead + 1;
        int start = ownsKeys ? AttentionSizes.firstQuery(d, starts, own0) : AttentionSizes.firstKey(d, starts, b, own0);
        int end = ownsKeys ? AttentionSizes.endOfQueries(d, starts, own0) : AttentionSizes.endOfKeys(d, starts, own0);
        boolean accumulateOwn = d.get(ACCUMULATE_OWN) != 0;
        boolean accumulateValue = d.get(ACCUMULATE_VALUE) != 0;
        int x = c.localIdx;
        int y = c.localIdy;
        int item = y * SIDE + x;

        for (int visitedHead = firstHead; visitedHead < endOfHeads; visitedHead++) {
            int logs = d.get(STATISTICS) + (b * heads + (ownsKeys ? visitedHead : head)) * queries;
            int sums = logs + d.get(LINES);
            for (int visited0 = start; visited0 < end; visited0 += TILE) {
                int visitedLines = visitedLength - visited0;
                int visitedAt = ((b * visitedLength + visited0) * visitedHeads + visitedHead) * dims;
                // S, then dP: products of owned and visited lines
                float s00 = 0;
                float s01 = 0;
                float s10 = 0;
                float s11 = 0;
                float g00 = 0;
                float g01 = 0;
                float g10 = 0;
                float g11 = 0;
                for (int product = 0; product < 2; product++) {
                    s00 = g00;
                    s01 = g01;
                    s10 = g10;
                    s11 = g11;
                    g00 = 0;
                    g01 = 0;
                    g10 = 0;
                    g11 = 0;
                    boolean ofS = product == 0;
                    int uAt = d.get(ofS ? OWN : OWN_OF_DP) + ownAt;
                    int wAt = d.get(ofS ? VISITED : VISITED_OF_DP) + visitedAt;
                    for (int from = 0; from < dims; from += TILE) {
                        for (int e = item; e < TILE * TILE; e += GROUP) {
                            int to = Tile.byColumn(e);
                            us[to] = element(ofS, own, ownOfDp, uAt, ownStride, ownLines, e, from, dims);
                            ws[to] =
                                    element(ofS, visited, visitedOfDp, wAt, visitedStride, visitedLines, e, from, dims);
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
                }
                int own1 = own0 + y;
                int own2 = own1 + SIDE;
                int visited1 = visited0 + x;
                int visited2 = visited1 + SIDE;
                s00 = AttentionSizes.score(s, s00);
                s01 = AttentionSizes.score(s, s01);
                s10 = AttentionSizes.score(s, s10);
                s11 = AttentionSizes.score(s, s11);
                float p00 = probability(d, mask, starts, b, own1, visited1, s00, statistics, logs);
                float p01 = probability(d, mask, starts, b, own1, visited2, s01, statistics, logs);
                float p10 = probability(d, mask, starts, b, own2, visited1, s10, statistics, logs);
                float p11 = probability(d, mask, starts, b, own2, visited2, s11, statistics, logs);
                g00 = gradient(d, p00, g00, scale * AttentionSizes.slope(s, s00), statistics, sums, own1, visited1);
                g01 = gradient(d, p01, g01, scale * AttentionSizes.slope(s, s01), statistics, sums, own1, visited2);
                g10 = gradient(d, p10, g10, scale * AttentionSizes.slope(s, s10), statistics, sums, own2, visited1);
                g11 = gradient(d, p11, g11, scale * AttentionSizes.slope(s, s11), statistics, sums, own2, visited2);
                // dQ or dK from dS, then dV from P
                boolean beginning = visitedHead == firstHead && visited0 == start;
                for (int result = 0; result < 2; result++) {
                    boolean ofS = result == 0;
                    ps[y * STRIDE + x] = ofS ? g00 : p00;
                    ps[y * STRIDE + x + SIDE] = ofS ? g01 : p01;
                    ps[(y + SIDE) * STRIDE + x] = ofS ? g10 : p10;
                    ps[(y + SIDE) * STRIDE + x + SIDE] = ofS ? g11 : p11;
                    int wAt = d.get(ofS ? VISITED : VISITED_OF_DP) + visitedAt;
                    int outAt = d.get(ofS ? D_OWN : D_VALUE) + ownAt;
                    boolean begin = beginning && !(ofS ? accumulateOwn : accumulateValue);
                    int width = ofS || ownsKeys ? dims : 0; // queries have no second result
                    for (int from = 0; from < width; from += TILE) {
                        for (int e = item; e < TILE * TILE; e += GROUP) {
                            ws[Tile.byRow(e)] =
                                    element(ofS, visited, visitedOfDp, wAt, visitedStride, visitedLines, e, from, dims);
                        }
                        c.localBarrier();
                        float o00 = 0;
                        float o01 = 0;
                        float o10 = 0;
                        float o11 = 0;
                        int depth = visitedLines < TILE ? visitedLines : TILE;
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
                        int column = from + x;
                        if (ofS) {
                            Tile.add(
                                    dOwn, outAt, ownStride, ownLines, y, column, dims, 1, 1, o00, o01, o10, o11, begin);
                        } else {
                            Tile.add(
                                    dValue, outAt, ownStride, ownLines, y, column, dims, 1, 1, o00, o01, o10, o11,
                                    begin);
                        }
                    }
                }
            }
        }
        if (start >= end) {
            for (int from = 0; from < dims; from += TILE) {
                int column = from + x;
                int at = d.get(D_OWN) + ownAt;
                Tile.add(dOwn, at, ownStride, ownLines, y, column, dims, 1, 1, 0, 0, 0, 0, !accumulateOwn);
                if (ownsKeys) {
                    at = d.get(D_VALUE) + ownAt;
                    Tile.add(dValue, at, ownStride, ownLines, y, column, dims, 1, 1, 0, 0, 0, 0, !accumulateValue);
                }
            }
        }
    }
}
