package io.gradus.core.cpu.vector.attention;

import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.AttentionText;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.Rows;
import io.gradus.core.cpu.vector.gemm.Arithmetic;
import io.gradus.core.cpu.vector.gemm.Gemm;
import io.gradus.core.cpu.vector.gemm.Matrix;
import io.gradus.core.kernel.AttentionKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

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

    // Slots of scratch memory for gradients that are stored in 16 bits.
    private static final int QUERY_GRADIENT = Scratch.GRADIENTS;
    private static final int KEY_GRADIENT = Scratch.GRADIENTS + 1;
    private static final int VALUE_GRADIENT = Scratch.GRADIENTS + 2;

    private final Workers workers;
    private final Arithmetic arithmetic;

    /**
     * @param arithmetic of products of F32
     */
    public Attention(Workers workers, Arithmetic arithmetic) {
        this.workers = workers;
        this.arithmetic = arithmetic;
    }

    /** The numbers that products multiply. If these are BF16, weights of values and gradients of scores are rounded too. */
    private Arithmetic products(Tensor q, Tensor k, Tensor v) {
        boolean half = q.dtype() == DType.BF16 && k.dtype() == DType.BF16 && v.dtype() == DType.BF16;
        return Arithmetic.ofSmall(half ? Arithmetic.ofBf16() : arithmetic);
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, AttentionOptions settings, Tensor out, Tensor logSumExp) {
        Arithmetic products = products(q, k, v);
        List<AttentionText.Block> blocks = AttentionText.blocks(q, k, settings, QUERIES);
        workers.forEach(blocks.size(), 1, (from, to) -> {
            for (AttentionText.Block block : blocks.subList((int) from, (int) to)) {
                AttentionText z = block.text();
                Head head = new Head(z, block.head(), q, k, v, products);
                Matrix result = queries(out, z, block.head());
                if (z.t() < FEW) {
                    head.answerEach(result, CpuStorage.of(logSumExp));
                } else {
                    int t1 = Math.min(z.t(), block.t0() + QUERIES);
                    head.forward(block.t0(), t1, result, CpuStorage.of(logSumExp));
                }
            }
        });
    }

    /** The queries of one head of a text, one per row. */
    private static Matrix queries(Tensor tensor, AttentionText z, int head) {
        return new Matrix(CpuStorage.of(tensor), z.queryAt(0, head), (long) z.h() * z.d(), false, tensor.dtype());
    }

    /** The keys of one key-value head of a text, one per row. */
    private static Matrix keys(Tensor tensor, AttentionText z, int keyHead) {
        return new Matrix(CpuStorage.of(tensor), z.keyAt(0, keyHead), (long) z.g() * z.d(), false, tensor.dtype());
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
        List<AttentionText> texts = AttentionText.of(q, k, settings);
        int keyHeads = Math.toIntExact(k.shape().get(2));
        int group = Math.toIntExact(q.shape().get(2)) / keyHeads;
        Arithmetic products = products(q, k, v);
        // One task per key-value head of a text, so that one thread sums the gradients of its keys in order.
        workers.forEach((long) texts.size() * keyHeads, 1, (from, to) -> {
            for (long item = from; item < to; item++) {
                AttentionText z = texts.get((int) (item / keyHeads));
                int g = (int) (item % keyHeads);
                RowSums keySums = new RowSums(keys(dk.gradient(), z, g), KEY_GRADIENT, z.s(), z.d());
                RowSums valueSums = new RowSums(keys(dv.gradient(), z, g), VALUE_GRADIENT, z.s(), z.d());
                keySums.begin(dk.accumulate());
                valueSums.begin(dv.accumulate());
                for (int h = g * group; h < (g + 1) * group; h++) {
                    Head head = new Head(z, h, q, k, v, products);
                    Gradients gradients = new Gradients(
                            queries(out, z, h),
                            queries(dout, z, h),
                            CpuStorage.of(logSumExp),
                            queries(dq.gradient(), z, h),
                            keySums.sums(),
                            valueSums.sums(),
                            dq.accumulate());
                    for (int t0 = 0; t0 < z.t(); t0 += QUERIES) {
                        head.backward(t0, Math.min(z.t(), t0 + QUERIES), gradients);
                    }
                }
                keySums.end();
                valueSums.end();
            }
        });
    }

    /** The operands and results of one head's backward pass, with a row per query or key. */
    private record Gradients(
            Matrix out, Matrix dout, MemorySegment logSumExp, Matrix dq, Matrix dk, Matrix dv, boolean accumulateQ) {}

    /** One head of one text. */
    private static final class Head {
        private final AttentionText z;
        private final float scale;
        private final long statistics; // the offset of this head's log-sum-exp
        private final Matrix q;
        private final Matrix k;
        private final Matrix v;
        private final Arithmetic products;

        Head(AttentionText z, int h, Tensor q, Tensor k, Tensor v, Arithmetic products) {
            this.z = z;
            this.products = products;
            this.scale = (float) z.options().scale();
            this.statistics = z.statisticsAt(h);
            int g = h / (z.h() / z.g());
            this.q = queries(q, z, h);
            this.k = keys(k, z, g);
            this.v = keys(v, z, g);
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
                float factor = cap(p, keys);
                hide(p, t0, j0, keys, first);
                softmax.next(p, keys, factor);
                boolean add = j0 > first.earliest;
                if (add) {
                    softmax.rescale(o, z.d());
                }
                Gemm.multiply(products, p.matrix().transpose(), v.row(j0), o, lanes, z.d(), keys, add);
            }
            softmax.finish(o, out.row(t0), z.d(), logSumExp, statistics + t0);
        }

        /** The raw scores of a block of queries and a block of keys. */
        private void scores(ScoreTile s, int t0, int j0, int keys) {
            Gemm.multiply(products, k.row(j0), q.row(t0).transpose(), s.matrix(), keys, s.lanes(), z.d(), false);
        }

        /** Caps raw scores if there is a softcap. Returns the factor that they still need. */
        private float cap(ScoreTile s, int keys) {
            float softcap = (float) z.options().softcap();
            if (softcap == 0) {
                return scale;
            }
            s.cap(keys, scale, softcap);
            return 1;
        }

        /** Makes the scores −∞ where a query does not attend to a key. */
        private void hide(ScoreTile s, int t0, int j0, int keys, FirstKeys first) {
            AttentionOptions options = z.options();
            int ahead = options.causal() ? 1 : options.window(); // no key so many places after a query is visible
            int behind = options.documentStarts() == null ? options.window() : 0;
            int lead = z.s() - z.t(); // keys before that of the first query
            for (int j = 0; j < keys; j++) {
                int place = j0 + j - t0 - lead; // the lane of the query whose own key this is
                if (z.hides(j0 + j)) {
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
            Arrays.setAll(first, i -> z.firstKey(t0 + i));
            return new FirstKeys(
                    first,
                    Math.max(0, Arrays.stream(first).min().orElse(0)),
                    Arrays.stream(first).max().orElse(0));
        }

        void backward(int t0, int t1, Gradients g) {
            int lanes = t1 - t0;
            Scratch scratch = Scratch.ofThread();
            float[] delta = delta(g, t0, t1);
            ScoreTile p = new ScoreTile(scratch.memory(0, (long) KEYS * ScoreTile.STRIDE), lanes);
            ScoreTile ds = new ScoreTile(scratch.memory(1, (long) KEYS * ScoreTile.STRIDE), lanes);
            float softcap = (float) z.options().softcap();
            ScoreTile slopes =
                    softcap == 0 ? ds : new ScoreTile(scratch.memory(2, (long) KEYS * ScoreTile.STRIDE), lanes);
            float[] shift = new float[ScoreTile.STRIDE];
            for (int i = 0; i < lanes; i++) {
                float logarithm = CpuStorage.get(g.logSumExp, statistics + t0 + i);
                // A query without keys has −∞ here and scores of −∞: any finite shift gives 0.
                shift[i] = logarithm == Float.NEGATIVE_INFINITY ? 0 : logarithm;
            }
            int visible = z.visible(t1);
            FirstKeys first = firstKeys(t0, t1);
            RowSums dq = new RowSums(g.dq.row(t0), QUERY_GRADIENT, lanes, z.d());
            boolean add = g.accumulateQ;
            if (add || visible <= first.earliest) {
                dq.begin(add);
            }
            for (int j0 = first.earliest; j0 < visible; j0 += KEYS) {
                int keys = Math.min(visible, j0 + KEYS) - j0;
                scores(p, t0, j0, keys);
                float factor = cap(p, keys);
                if (softcap != 0) {
                    slopes.slopes(keys, p, softcap);
                }
                hide(p, t0, j0, keys, first);
                p.exponentials(keys, factor, shift);
                Matrix dout = g.dout.row(t0);
                Gemm.multiply(products, p.matrix(), dout, g.dv.row(j0), keys, z.d(), lanes, true);
                Gemm.multiply(products, v.row(j0), dout.transpose(), ds.matrix(), keys, lanes, z.d(), false);
                ds.scoreGradients(keys, p, delta, scale);
                if (softcap != 0) {
                    ds.multiply(keys, slopes);
                }
                Gemm.multiply(products, ds.matrix().transpose(), k.row(j0), dq.sums(), lanes, z.d(), keys, add);
                add = true;
                Gemm.multiply(products, ds.matrix(), q.row(t0), g.dk.row(j0), keys, z.d(), lanes, true);
            }
            dq.end();
        }

        /** {@code Σ dO ⊙ O} for each query. */
        private float[] delta(Gradients g, int t0, int t1) {
            Matrix out = g.out.floats(0, t0, t1, 0, z.d());
            Matrix dout = g.dout.floats(1, t0, t1, 0, z.d());
            float[] delta = new float[ScoreTile.STRIDE];
            for (int t = t0; t < t1; t += 4) {
                fourDots(out, dout, t, t1 - 1, z.d(), delta, t - t0);
            }
            return delta;
        }

        /** The dot products of four rows of two matrices, of which those after the last row are undefined. Each is summed in order. */
        private static void fourDots(Matrix x, Matrix y, int row, int last, int width, float[] dots, int to) {
            double sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
            int row1 = Math.min(row + 1, last);
            int row2 = Math.min(row + 2, last);
            int row3 = Math.min(row + 3, last);
            for (int d = 0; d < width; d++) {
                sum0 += x.get(row, d) * y.get(row, d);
                sum1 += x.get(row1, d) * y.get(row1, d);
                sum2 += x.get(row2, d) * y.get(row2, d);
                sum3 += x.get(row3, d) * y.get(row3, d);
            }
            dots[to] = (float) sum0;
            dots[to + 1] = (float) sum1;
            dots[to + 2] = (float) sum2;
            dots[to + 3] = (float) sum3;
        }

        /** For few queries: computes one query at a time with products of a row and a matrix that is read in place. */
        void answerEach(Matrix out, MemorySegment logSumExp) {
            MemorySegment row = Scratch.ofThread().memory(0, z.s());
            Matrix p = new Matrix(row, 0, z.s(), false);
            for (int t = 0; t < z.t(); t++) {
                int first = Math.clamp(z.firstKey(t), 0, z.s());
                int count = Math.max(0, z.visible(t + 1) - first);
                if (count == 0) {
                    out.clearRow(t, z.d());
                    CpuStorage.set(logSumExp, statistics + t, Float.NEGATIVE_INFINITY);
                    continue;
                }
                Gemm.multiply(Arithmetic.FLOATS, q.row(t), k.row(first).transpose(), p, 1, count, z.d(), false);
                float largest = Float.NEGATIVE_INFINITY;
                for (int j = 0; j < count; j++) {
                    float score = z.hides(first + j) ? Float.NEGATIVE_INFINITY : capped(CpuStorage.get(row, j) * scale);
                    CpuStorage.set(row, j, score);
                    largest = Math.max(largest, score);
                }
                float shift = largest == Float.NEGATIVE_INFINITY ? 0 : largest;
                double sum = 0;
                for (long at = 0; at < count; at += Rows.BLOCK) {
                    sum += Rows.exp(row, shift, row, at, Rows.blockEnd(at, count));
                }
                Rows.scale(row, sum == 0 ? 0 : (float) (1 / sum), 0, count);
                CpuStorage.set(logSumExp, statistics + t, (float) (largest + Math.log(sum)));
                Gemm.multiply(Arithmetic.FLOATS, p, v.row(first), out.row(t), 1, z.d(), count, false);
            }
        }

        private float capped(float score) {
            double softcap = z.options().softcap();
            return softcap == 0 ? score : (float) (softcap * Math.tanh(score / softcap));
        }
    }
}
