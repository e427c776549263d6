package io.gradus.core.cpu.vector.attention;

import io.gradus.core.AttentionOptions;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.gemm.Gemm;
import io.gradus.core.cpu.vector.gemm.Matrix;
import io.gradus.core.kernel.AttentionKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Attention without a T × T matrix in memory (Dao et al. 2022). A block of {@value #QUERIES} queries is
 * combined with {@value #KEYS} keys at a time. {@link ScoreTile} holds their scores; the rest are products of small matrices.
 *
 * <p>The forward pass reads the keys once. Its softmax uses the largest score so far; if a larger one follows, the sums are
 * multiplied by exp(old − new) (Milakov &amp; Gimelshein 2018). The backward pass recomputes each tile of scores from the saved
 * {@code ln Σ exp}. Keys that no query of a block attends to are skipped: those after its last query, and those before the
 * document and the window of its first.
 */
public final class Attention implements AttentionKernels {
    /** Queries in a block. */
    private static final int QUERIES = 128;
    /** Keys in a block. */
    private static final int KEYS = 256;
    /** Fewer queries than this, as in generating token by token, are computed one by one. */
    private static final int FEW = 4;

    private final Workers workers;

    public Attention(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, AttentionOptions settings, Tensor out, Tensor logSumExp) {
        AttentionSizes z = AttentionSizes.of(q, k, settings);
        int blocks = (z.t() + QUERIES - 1) / QUERIES;
        workers.forEach(z.b() * z.h() * blocks, 1, (from, to) -> {
            for (long item = from; item < to; item++) {
                Head head = new Head(z, item / blocks / z.h(), (int) (item / blocks % z.h()), q, k, v);
                int t0 = (int) (item % blocks) * QUERIES;
                Matrix result = z.queries(out, head.b, head.h);
                if (z.t() < FEW) {
                    head.answerEach(result, CpuStorage.of(logSumExp));
                } else {
                    head.forward(t0, Math.min(z.t(), t0 + QUERIES), result, CpuStorage.of(logSumExp));
                }
            }
        });
    }

    @Override
    public void backward(
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionOptions settings,
            Tensor out,
            Tensor logSumExp,
            Tensor dout,
            GradientBuffer dq,
            GradientBuffer dk,
            GradientBuffer dv) {
        AttentionSizes z = AttentionSizes.of(q, k, settings);
        int group = z.h() / z.g();
        // One task per key-value head, so that one thread sums the gradients of its keys in order.
        workers.forEach(z.b() * z.g(), 1, (from, to) -> {
            for (long item = from; item < to; item++) {
                long b = item / z.g();
                int g = (int) (item % z.g());
                Matrix keyGradient = z.keys(dk.gradient(), b, g);
                Matrix valueGradient = z.keys(dv.gradient(), b, g);
                clear(keyGradient, z, dk.accumulate());
                clear(valueGradient, z, dv.accumulate());
                for (int h = g * group; h < (g + 1) * group; h++) {
                    Head head = new Head(z, b, h, q, k, v);
                    Gradients gradients = new Gradients(
                            z.queries(out, b, h),
                            z.queries(dout, b, h),
                            CpuStorage.of(logSumExp),
                            z.queries(dq.gradient(), b, h),
                            keyGradient,
                            valueGradient,
                            dq.accumulate());
                    for (int t0 = 0; t0 < z.t(); t0 += QUERIES) {
                        head.backward(t0, Math.min(z.t(), t0 + QUERIES), gradients);
                    }
                }
            }
        });
    }

    /** Zeros the gradients of a head's keys or values unless {@code accumulate}. */
    private static void clear(Matrix rows, AttentionSizes z, boolean accumulate) {
        for (int j = 0; j < z.s() && !accumulate; j++) {
            rows.clearRow(j, z.d());
        }
    }

    /** The operands and results of one head's backward pass, with a row per query or key. */
    private record Gradients(
            Matrix out, Matrix dout, MemorySegment logSumExp, Matrix dq, Matrix dk, Matrix dv, boolean accumulateQ) {}

    /** One head of one batch item. */
    private static final class Head {
        private final AttentionSizes z;
        private final long b;
        private final int h;
        private final Matrix q;
        private final Matrix k;
        private final Matrix v;

        Head(AttentionSizes z, long b, int h, Tensor q, Tensor k, Tensor v) {
            this.z = z;
            this.b = b;
            this.h = h;
            int g = h / (z.h() / z.g());
            this.q = z.queries(q, b, h);
            this.k = z.keys(k, b, g);
            this.v = z.keys(v, b, g);
        }

        /** The offset of this head's log-sum-exp. */
        private long statistics() {
            return (b * z.h() + h) * z.t();
        }

        void forward(int t0, int t1, Matrix out, MemorySegment logSumExp) {
            int lanes = t1 - t0;
            Scratch scratch = Scratch.ofThread();
            ScoreTile p = new ScoreTile(scratch.memory(0, (long) KEYS * ScoreTile.STRIDE), lanes);
            Matrix o = new Matrix(scratch.memory(1, (long) QUERIES * z.d()), 0, z.d(), false);
            OnlineSoftmax softmax = new OnlineSoftmax(lanes);
            int visible = z.visible(t1);
            FirstKeys first = firstKeys(t0, t1);
            for (int j0 = first.earliest; j0 < visible; j0 += KEYS) {
                int keys = Math.min(visible, j0 + KEYS) - j0;
                scores(p, t0, j0, keys);
                float scale = cap(p, keys);
                hide(p, t0, j0, keys, first);
                softmax.next(p, keys, scale);
                boolean add = j0 > first.earliest;
                if (add) {
                    softmax.rescale(o, z.d());
                }
                Gemm.multiply(p.matrix().transpose(), v.row(j0), o, lanes, z.d(), keys, add);
            }
            softmax.finish(o, out.row(t0), z.d(), logSumExp, statistics() + t0);
        }

        /** The raw scores of a block of queries and a block of keys. */
        private void scores(ScoreTile s, int t0, int j0, int keys) {
            Gemm.multiply(k.row(j0), q.row(t0).transpose(), s.matrix(), keys, s.lanes(), z.d(), false);
        }

        /** Caps raw scores if there is a softcap. Returns the factor that they still need. */
        private float cap(ScoreTile s, int keys) {
            float softcap = (float) z.options().softcap();
            if (softcap == 0) {
                return z.scale();
            }
            s.cap(keys, z.scale(), softcap);
            return 1;
        }

        /** Makes the scores −∞ where a query does not attend to a key. */
        private void hide(ScoreTile s, int t0, int j0, int keys, FirstKeys first) {
            AttentionOptions options = z.options();
            int ahead = options.causal() ? 1 : options.window(); // no key so many places after a query is visible
            int behind = options.documentStarts() == null ? options.window() : 0;
            for (int j = 0; j < keys; j++) {
                int place = j0 + j - t0 - z.lead(); // the lane of the query whose own key this is
                if (z.hides(b, j0 + j)) {
                    s.hide(j, s.lanes());
                } else if (ahead > 0) {
                    s.hide(j, Math.min(s.lanes(), place - ahead + 1));
                }
                if (behind > 0) {
                    s.hideFrom(j, place + behind);
                } else if (j0 + j < first.latest) {
                    s.hideFromLater(j, j0 + j, first.ofQueries);
                }
            }
        }

        /** The first key visible to each query of a block, and the smallest (at least 0) and largest of these. */
        private record FirstKeys(int[] ofQueries, int earliest, int latest) {}

        private FirstKeys firstKeys(int t0, int t1) {
            int[] first = new int[t1 - t0];
            Arrays.setAll(first, i -> z.firstKey(b, t0 + i));
            return new FirstKeys(
                    first,
                    Math.max(0, Arrays.stream(first).min().orElse(0)),
                    Arrays.stream(first).max().orElse(0));
        }

        void backward(int t0, int t1, Gradients g) {
            int lanes = t1 - t0;
            Scratch scratch = Scratch.ofThread();
            ScoreTile p = new ScoreTile(scratch.memory(0, (long) KEYS * ScoreTile.STRIDE), lanes);
            ScoreTile ds = new ScoreTile(scratch.memory(1, (long) KEYS * ScoreTile.STRIDE), lanes);
            float softcap = (float) z.options().softcap();
            ScoreTile slopes =
                    softcap == 0 ? ds : new ScoreTile(scratch.memory(2, (long) KEYS * ScoreTile.STRIDE), lanes);
            float[] shift = new float[ScoreTile.STRIDE];
            float[] delta = new float[ScoreTile.STRIDE]; // Σ dO ⊙ O
            for (int i = 0; i < lanes; i++) {
                float logarithm = CpuStorage.get(g.logSumExp, statistics() + t0 + i);
                // A query without keys has −∞ here and scores of −∞: any finite shift gives 0.
                shift[i] = logarithm == Float.NEGATIVE_INFINITY ? 0 : logarithm;
                delta[i] = dot(g.out, g.dout, t0 + i);
            }
            int visible = z.visible(t1);
            FirstKeys first = firstKeys(t0, t1);
            for (int j0 = first.earliest; j0 < visible; j0 += KEYS) {
                int keys = Math.min(visible, j0 + KEYS) - j0;
                scores(p, t0, j0, keys);
                float scale = cap(p, keys);
                if (softcap != 0) {
                    slopes.slopes(keys, p, softcap);
                }
                hide(p, t0, j0, keys, first);
                p.exponentials(keys, scale, shift);
                Matrix dout = g.dout.row(t0);
                Gemm.multiply(p.matrix(), dout, g.dv.row(j0), keys, z.d(), lanes, true);
                Gemm.multiply(v.row(j0), dout.transpose(), ds.matrix(), keys, lanes, z.d(), false);
                ds.scoreGradients(keys, p, delta, z.scale());
                if (softcap != 0) {
                    ds.multiply(keys, slopes);
                }
                boolean add = g.accumulateQ || j0 > first.earliest;
                Gemm.multiply(ds.matrix().transpose(), k.row(j0), g.dq.row(t0), lanes, z.d(), keys, add);
                Gemm.multiply(ds.matrix(), q.row(t0), g.dk.row(j0), keys, z.d(), lanes, true);
            }
            for (int t = t0; t < t1 && visible <= first.earliest && !g.accumulateQ; t++) {
                g.dq.clearRow(t, z.d());
            }
        }

        private float dot(Matrix a, Matrix b, int row) {
            double sum = 0;
            for (int d = 0; d < z.d(); d++) {
                sum += a.get(row, d) * b.get(row, d);
            }
            return (float) sum;
        }

        /** For few queries: computes one query at a time with products of a row and a matrix that is read in place. */
        void answerEach(Matrix out, MemorySegment logSumExp) {
            MemorySegment row = Scratch.ofThread().memory(0, z.s());
            Matrix p = new Matrix(row, 0, z.s(), false);
            for (int t = 0; t < z.t(); t++) {
                int first = Math.clamp(z.firstKey(b, t), 0, z.s());
                int count = Math.max(0, z.visible(t + 1) - first);
                if (count == 0) {
                    out.clearRow(t, z.d());
                    CpuStorage.set(logSumExp, statistics() + t, Float.NEGATIVE_INFINITY);
                    continue;
                }
                Gemm.multiply(q.row(t), k.row(first).transpose(), p, 1, count, z.d(), false);
                float largest = Float.NEGATIVE_INFINITY;
                for (int j = 0; j < count; j++) {
                    float score = z.hides(b, first + j)
                            ? Float.NEGATIVE_INFINITY
                            : capped(CpuStorage.get(row, j) * z.scale());
                    CpuStorage.set(row, j, score);
                    largest = Math.max(largest, score);
                }
                float shift = largest == Float.NEGATIVE_INFINITY ? 0 : largest;
                double sum = 0;
                for (int j = 0; j < count; j++) {
                    double weight = Math.exp(CpuStorage.get(row, j) - shift);
                    sum += weight;
                    CpuStorage.set(row, j, (float) weight);
                }
                for (int j = 0; j < count; j++) {
                    CpuStorage.set(row, j, sum == 0 ? 0 : (float) (CpuStorage.get(row, j) / sum));
                }
                CpuStorage.set(logSumExp, statistics() + t, (float) (largest + Math.log(sum)));
                Gemm.multiply(p, v.row(first), out.row(t), 1, z.d(), count, false);
            }
        }

        private float capped(float score) {
            double softcap = z.options().softcap();
            return softcap == 0 ? score : (float) (softcap * Math.tanh(score / softcap));
        }
    }
}
