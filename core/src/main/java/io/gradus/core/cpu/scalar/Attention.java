package io.gradus.core.cpu.scalar;

import io.gradus.core.AttentionOptions;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.AttentionText;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.AttentionKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attention without a T × T matrix in memory. A block of {@value #QUERIES} queries is transposed to one query per lane, so that
 * every step is a loop over lanes: {@code s[j][lane] = Σ_d k[j][d]·q[d][lane]} for the score of key j, then the softmax
 * over the keys, then {@code out[d][lane] = Σ_j v[j][d]·p[j][lane]}. The backward pass recomputes the block of scores
 * from the saved log-sum-exp. Keys after the last query of a block are skipped, and with a window those before the first query's.
 */
final class Attention implements AttentionKernels {
    private static final int QUERIES = 128;
    private final Workers workers;

    public Attention(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, AttentionOptions settings, Tensor out, Tensor logSumExp) {
        List<AttentionText.Block> blocks = AttentionText.blocks(q, k, settings, QUERIES);
        workers.forEach(blocks.size(), 1, (from, to) -> {
            for (AttentionText.Block each : blocks.subList((int) from, (int) to)) {
                Block block = new Block(each.text(), each.head());
                block.load(k, v, each.t0());
                block.forward(each.t0(), q, out, logSumExp);
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
        List<AttentionText> texts = AttentionText.of(q, k, settings);
        int keyHeads = Math.toIntExact(k.shape().get(2));
        int group = Math.toIntExact(q.shape().get(2)) / keyHeads;
        // One task per key-value head of a text, so that one thread sums the gradients of its keys in order.
        workers.forEach((long) texts.size() * keyHeads, 1, (from, to) -> {
            for (long item = from; item < to; item++) {
                AttentionText z = texts.get((int) (item / keyHeads));
                Gradients gradients = new Gradients(z);
                int g = (int) (item % keyHeads);
                for (int head = g * group; head < (g + 1) * group; head++) {
                    Block block = new Block(z, head);
                    for (int t0 = 0; t0 < z.t(); t0 += QUERIES) {
                        block.load(k, v, t0);
                        block.backward(t0, q, out, logSumExp, dout, dq, gradients);
                    }
                }
                store(gradients.dk, z, g, CpuStorage.of(dk.gradient()), dk.accumulate());
                store(gradients.dv, z, g, CpuStorage.of(dv.gradient()), dv.accumulate());
            }
        });
    }

    /** The gradients of one head's keys and values, one row of S per element of the head. */
    private static final class Gradients {
        private final float[][] dk;
        private final float[][] dv;

        Gradients(AttentionText z) {
            dk = new float[z.d()][z.s()];
            dv = new float[z.d()][z.s()];
        }
    }

    /** Transposes rows of S per element to rows of D per key. */
    private static void store(float[][] rows, AttentionText z, int g, MemorySegment memory, boolean accumulate) {
        float[] row = new float[z.d()];
        for (int j = 0; j < z.s(); j++) {
            long at = z.keyAt(j, g);
            if (accumulate) {
                CpuStorage.load(memory, at, row, z.d());
            }
            for (int d = 0; d < z.d(); d++) {
                row[d] = accumulate ? row[d] + rows[d][j] : rows[d][j];
            }
            CpuStorage.store(row, memory, at, z.d());
        }
    }

    /** One head of one text, its current block of queries, and the keys that these may see. */
    private static final class Block {
        private final AttentionText z;
        private final int head;
        private final float[] row;
        private int from; // the first key in memory
        private int count; // of keys in memory
        private float[] keys = {};
        private float[] values = {};
        private boolean[] hidden = {};

        Block(AttentionText z, int head) {
            this.z = z;
            this.head = head;
            row = new float[z.d()];
        }

        /** Loads the keys and values of this head that some queries may see, and their padding mask, unless they are there. */
        void load(Tensor k, Tensor v, int t0) {
            boolean all = z.options().window() == 0;
            int first = all ? 0 : first(t0);
            int end = all ? z.s() : end(t0, Math.min(z.t(), t0 + QUERIES));
            if (all && keys.length > 0) {
                return;
            }
            from = first;
            count = end - first;
            keys = new float[count * z.d()];
            values = new float[count * z.d()];
            hidden = new boolean[count];
            int g = head / (z.h() / z.g());
            gather(CpuStorage.of(k), g, keys);
            gather(CpuStorage.of(v), g, values);
            for (int j = 0; j < count; j++) {
                hidden[j] = z.hides(from + j);
            }
        }

        /** The first key visible to the query {@code t0}, its document aside. */
        private int first(int t0) {
            return z.options().firstKey(t0, z.t(), z.s());
        }

        /** The end of the keys visible to the last query before {@code t1}, not before the first. */
        private int end(int t0, int t1) {
            return Math.max(first(t0), z.visible(t1));
        }

        private void gather(MemorySegment memory, int g, float[] into) {
            for (int j = 0; j < count; j++) {
                CpuStorage.load(memory, z.keyAt(from + j, g), row, z.d());
                System.arraycopy(row, 0, into, j * z.d(), z.d());
            }
        }

        void forward(int t0, Tensor q, Tensor out, Tensor logSumExp) {
            int lanes = Math.min(QUERIES, z.t() - t0);
            int visible = end(t0, t0 + lanes) - from;
            float[][] p = scores(t0, lanes, visible, lanes(CpuStorage.of(q), t0, lanes), null);
            float[] max = new float[lanes];
            Arrays.fill(max, Float.NEGATIVE_INFINITY);
            for (int j = 0; j < visible; j++) {
                maximum(max, p[j], lanes);
            }
            float[] shift = new float[lanes];
            for (int lane = 0; lane < lanes; lane++) {
                shift[lane] = max[lane] == Float.NEGATIVE_INFINITY ? 0 : max[lane];
            }
            double[] sum = new double[lanes];
            exponential(p, visible, shift, lanes);
            for (int j = 0; j < visible; j++) {
                for (int lane = 0; lane < lanes; lane++) {
                    sum[lane] += p[j][lane];
                }
            }
            float[][] o = new float[z.d()][lanes];
            float[] column = new float[visible];
            for (int d = 0; d < z.d(); d++) {
                for (int j = 0; j < visible; j++) {
                    column[j] = values[j * z.d() + d];
                }
                Gemm.addMultiples(p, column, 0, visible, o[d], lanes);
                for (int lane = 0; lane < lanes; lane++) {
                    o[d][lane] = sum[lane] == 0 ? 0 : (float) (o[d][lane] / sum[lane]);
                }
            }
            storeLanes(o, CpuStorage.of(out), t0, lanes, false);
            MemorySegment statistics = CpuStorage.of(logSumExp);
            for (int lane = 0; lane < lanes; lane++) {
                float logarithm = (float) (max[lane] + Math.log(sum[lane]));
                CpuStorage.set(statistics, z.statisticsAt(head) + t0 + lane, logarithm);
            }
        }

        void backward(
                int t0, Tensor q, Tensor out, Tensor logSumExp, Tensor dout, GradientBuffer dq, Gradients gradients) {
            int lanes = Math.min(QUERIES, z.t() - t0);
            int visible = end(t0, t0 + lanes) - from;
            float scale = (float) z.options().scale();
            float[][] queries = lanes(CpuStorage.of(q), t0, lanes);
            float[][] o = lanes(CpuStorage.of(out), t0, lanes);
            float[][] dO = lanes(CpuStorage.of(dout), t0, lanes);
            float[] shift = new float[lanes];
            CpuStorage.load(CpuStorage.of(logSumExp), z.statisticsAt(head) + t0, shift, lanes);
            for (int lane = 0; lane < lanes; lane++) {
                // A query without keys has −∞ here and scores of −∞: any finite shift gives probabilities of 0.
                shift[lane] = shift[lane] == Float.NEGATIVE_INFINITY ? 0 : shift[lane];
            }
            float[] delta = new float[lanes]; // Σ dO ⊙ O
            for (int d = 0; d < z.d(); d++) {
                addProduct(delta, dO[d], o[d], lanes);
            }
            float[][] slopes = z.options().softcap() == 0 ? null : new float[visible][lanes];
            float[][] p = scores(t0, lanes, visible, queries, slopes);
            float[][] dS = new float[visible][lanes];
            exponential(p, visible, shift, lanes);
            for (int j = 0; j < visible; j++) {
                Gemm.addMultiples(dO, values, j * z.d(), z.d(), dS[j], lanes);
                scoreGradient(dS[j], p[j], delta, scale, lanes);
                if (slopes != null) {
                    FloatMath.multiply(dS[j], slopes[j], lanes);
                }
            }
            float[][] dQ = new float[z.d()][lanes];
            float[] column = new float[visible];
            for (int d = 0; d < z.d(); d++) {
                for (int j = 0; j < visible; j++) {
                    column[j] = keys[j * z.d() + d];
                }
                Gemm.addMultiples(dS, column, 0, visible, dQ[d], lanes);
            }
            storeLanes(dQ, CpuStorage.of(dq.gradient()), t0, lanes, dq.accumulate());
            float[][] turned = transpose(p, visible, lanes);
            for (int d = 0; d < z.d(); d++) {
                addMultiples(turned, dO[d], lanes, gradients.dv[d], visible);
            }
            turned = transpose(dS, visible, lanes);
            for (int d = 0; d < z.d(); d++) {
                addMultiples(turned, queries[d], lanes, gradients.dk[d], visible);
            }
        }

        /** {@code c += Σ x[lane]·rows[lane]} for the keys in memory, of which the first has index 0 in the rows. */
        private void addMultiples(float[][] rows, float[] x, int lanes, float[] c, int visible) {
            if (from == 0) {
                Gemm.addMultiples(rows, x, 0, lanes, c, visible);
                return;
            }
            float[] part = Arrays.copyOfRange(c, from, from + visible);
            Gemm.addMultiples(rows, x, 0, lanes, part, visible);
            System.arraycopy(part, 0, c, from, visible);
        }

        /**
         * The score of each visible key and each lane; −∞ if the query does not attend to the key.
         *
         * @param slopes the derivatives of capped scores, written; or null
         */
        private float[][] scores(int t0, int lanes, int visible, float[][] queries, float @Nullable [][] slopes) {
            float[][] scores = new float[visible][lanes];
            float[] scaled = new float[z.d()];
            int lead = z.s() - z.t();
            int[] first = firstKeys(t0, lanes);
            int earliest = Arrays.stream(first).min().orElse(0);
            int latest = Arrays.stream(first).max().orElse(0);
            int ahead =
                    z.options().causal() ? 1 : z.options().window(); // no key so many places after a query is visible
            float softcap = (float) z.options().softcap();
            for (int i = 0; i < visible; i++) {
                int j = from + i;
                if (hidden[i] || j < earliest) {
                    Arrays.fill(scores[i], Float.NEGATIVE_INFINITY);
                    continue;
                }
                for (int d = 0; d < z.d(); d++) {
                    scaled[d] = (float) (keys[i * z.d() + d] * z.options().scale());
                }
                Gemm.addMultiples(queries, scaled, 0, z.d(), scores[i], lanes);
                if (softcap != 0) {
                    cap(scores[i], softcap, slopes == null ? null : slopes[i], lanes);
                }
                int before = j - t0 - lead - ahead + 1; // lanes that do not see the key yet
                if (ahead > 0 && before > 0) {
                    Arrays.fill(scores[i], 0, Math.min(lanes, before), Float.NEGATIVE_INFINITY);
                }
                for (int lane = 0; lane < lanes && j < latest; lane++) {
                    if (j < first[lane]) {
                        scores[i][lane] = Float.NEGATIVE_INFINITY;
                    }
                }
            }
            return scores;
        }

        /** {@code s = c·tanh(s/c)}, and the derivative {@code 1 − tanh²}. */
        private static void cap(float[] scores, float softcap, float @Nullable [] slopes, int lanes) {
            for (int lane = 0; lane < lanes; lane++) {
                float tanh = (float) Math.tanh(scores[lane] / softcap);
                scores[lane] = softcap * tanh;
                if (slopes != null) {
                    slopes[lane] = 1 - tanh * tanh;
                }
            }
        }

        /** The first key visible to each lane's query. */
        private int[] firstKeys(int t0, int lanes) {
            int[] first = new int[lanes];
            Arrays.setAll(first, lane -> z.firstKey(t0 + lane));
            return first;
        }

        /** Transposes rows of D per query to one array of lanes per element. */
        private float[][] lanes(MemorySegment memory, int t0, int lanes) {
            float[][] turned = new float[z.d()][lanes];
            for (int lane = 0; lane < lanes; lane++) {
                CpuStorage.load(memory, z.queryAt(t0 + lane, head), row, z.d());
                for (int d = 0; d < z.d(); d++) {
                    turned[d][lane] = row[d];
                }
            }
            return turned;
        }

        private void storeLanes(float[][] turned, MemorySegment memory, int t0, int lanes, boolean accumulate) {
            for (int lane = 0; lane < lanes; lane++) {
                long at = z.queryAt(t0 + lane, head);
                if (accumulate) {
                    CpuStorage.load(memory, at, row, z.d());
                }
                for (int d = 0; d < z.d(); d++) {
                    row[d] = accumulate ? row[d] + turned[d][lane] : turned[d][lane];
                }
                CpuStorage.store(row, memory, at, z.d());
            }
        }
    }

    private static float[][] transpose(float[][] x, int rows, int columns) {
        float[][] turned = new float[columns][rows];
        for (int i = 0; i < rows; i++) {
            float[] row = x[i];
            for (int j = 0; j < columns; j++) {
                turned[j][i] = row[j];
            }
        }
        return turned;
    }

    private static void maximum(float[] max, float[] x, int n) {
        for (int i = 0; i < n; i++) {
            max[i] = Math.max(max[i], x[i]);
        }
    }

    /** {@code x[j] = exp(x[j] − shift)} for each row. */
    private static void exponential(float[][] x, int rows, float[] shift, int lanes) {
        for (int j = 0; j < rows; j++) {
            subtract(x[j], shift, lanes);
            FloatMath.exp(x[j], 0, x[j], lanes);
        }
    }

    private static void subtract(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            x[i] -= y[i];
        }
    }

    private static void addProduct(float[] sum, float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            sum[i] = Math.fma(a[i], b[i], sum[i]);
        }
    }

    /** {@code dS = scale·p·(dP − delta)}, where {@code ds} holds dP before. */
    private static void scoreGradient(float[] ds, float[] p, float[] delta, float scale, int n) {
        for (int i = 0; i < n; i++) {
            ds[i] = scale * p[i] * (ds[i] - delta[i]);
        }
    }
}
