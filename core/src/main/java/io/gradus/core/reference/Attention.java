package io.gradus.core.reference;

import io.gradus.core.AttentionOptions;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AttentionKernels;

/** For each query: the scores of all keys, their softmax, and the weighted mean of the values. */
final class Attention implements AttentionKernels {

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, AttentionOptions settings, Tensor out, Tensor logSumExp) {
        Layout layout = new Layout(q.shape(), k.shape());
        Elements queries = Elements.of(q);
        Elements keys = Elements.of(k);
        Elements values = Elements.of(v);
        Elements to = Elements.of(out);
        to.clearUnless(false);
        layout.forEachQuery((b, h, t) -> {
            int first = layout.firstKey(settings, b, t);
            double[] scores = layout.scores(settings, queries, b, t, h, keys);
            double max = Double.NEGATIVE_INFINITY;
            for (double score : scores) {
                max = Math.max(max, score);
            }
            double sum = 0;
            for (double score : scores) {
                sum += score == Layout.UNSEEN ? 0 : Math.exp(score - max);
            }
            double logSum = max + Math.log(sum); // −∞ if the query attends to no key
            Elements.of(logSumExp).set(layout.statistic(b, h, t), logSum);
            for (int s = 0; s < scores.length; s++) {
                if (scores[s] != Layout.UNSEEN) {
                    double probability = Math.exp(scores[s] - logSum);
                    long atKey = layout.key(b, (long) first + s, h);
                    for (long d = 0; d < layout.length; d++) {
                        to.add(layout.query(b, t, h) + d, probability * values.get(atKey + d));
                    }
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
        Layout layout = new Layout(q.shape(), k.shape());
        Elements queries = Elements.of(q);
        Elements keys = Elements.of(k);
        Elements values = Elements.of(v);
        Elements output = Elements.of(out);
        Elements dOutput = Elements.of(dout);
        Elements dQueries = Elements.of(dq.gradient());
        Elements dKeys = Elements.of(dk.gradient());
        Elements dValues = Elements.of(dv.gradient());
        dQueries.clearUnless(dq.accumulate());
        dKeys.clearUnless(dk.accumulate());
        dValues.clearUnless(dv.accumulate());
        layout.forEachQuery((b, h, t) -> {
            long atQuery = layout.query(b, t, h);
            double logSum = Elements.of(logSumExp).get(layout.statistic(b, h, t));
            double outputDot = 0;
            for (long d = 0; d < layout.length; d++) {
                outputDot += dOutput.get(atQuery + d) * output.get(atQuery + d);
            }
            int first = layout.firstKey(settings, b, t);
            double[] scores = layout.scores(settings, queries, b, t, h, keys);
            for (int s = 0; s < scores.length; s++) {
                if (scores[s] != Layout.UNSEEN) {
                    long atKey = layout.key(b, (long) first + s, h);
                    double probability = Math.exp(scores[s] - logSum);
                    double dProbability = layout.dot(dOutput, b, t, h, values, (long) first + s);
                    double dCapped = probability * (dProbability - outputDot);
                    double dScore = dCapped * slope(scores[s], settings.softcap()) * settings.scale();
                    for (long d = 0; d < layout.length; d++) {
                        dValues.add(atKey + d, probability * dOutput.get(atQuery + d));
                        dQueries.add(atQuery + d, dScore * keys.get(atKey + d));
                        dKeys.add(atKey + d, dScore * queries.get(atQuery + d));
                    }
                }
            }
        });
    }

    /** A score s, limited to {@code c·tanh(s/c)} if there is a softcap c. */
    private static double capped(double score, double softcap) {
        return softcap == 0 ? score : softcap * Math.tanh(score / softcap);
    }

    /** The derivative of a capped score by the score: {@code 1 − tanh²}. */
    private static double slope(double capped, double softcap) {
        return softcap == 0 ? 1 : 1 - capped / softcap * (capped / softcap);
    }

    /** An action for one query of one head. */
    @FunctionalInterface
    private interface Query {
        void run(long batch, long head, long t);
    }

    /** The layout of the operands, and which query attends to which keys. */
    private static final class Layout {
        static final double UNSEEN = Double.NEGATIVE_INFINITY;

        private final long batches;
        private final long queries;
        private final long keys;
        private final long heads;
        private final long keyHeads;
        private final long length;

        Layout(Shape q, Shape k) {
            batches = q.get(0);
            queries = q.get(1);
            heads = q.get(2);
            length = q.get(3);
            keys = k.get(1);
            keyHeads = k.get(2);
        }

        void forEachQuery(Query body) {
            for (long b = 0; b < batches; b++) {
                for (long h = 0; h < heads; h++) {
                    for (long t = 0; t < queries; t++) {
                        body.run(b, h, t);
                    }
                }
            }
        }

        /** The first key that a query may attend to, the mask aside. */
        int firstKey(AttentionOptions settings, long b, long t) {
            int first = settings.firstKey((int) t, (int) queries, (int) keys);
            Tensor documentStarts = settings.documentStarts();
            int start = documentStarts == null
                    ? (int) text(settings, t).from
                    : Elements.of(documentStarts).getInt(b * queries + t);
            return Math.max(first, start);
        }

        /** The places of a text in its row, of which {@code end} is no longer one. */
        private record Text(long from, long end) {}

        /** The text of a query. */
        private Text text(AttentionOptions settings, long t) {
            if (settings.textLengths() == null) {
                return new Text(0, keys);
            }
            long from = 0;
            for (int length : settings.textLengths()) {
                if (t < from + length) {
                    return new Text(from, from + length);
                }
                from += length;
            }
            throw new IllegalArgumentException("attention: query " + t + " belongs to no text");
        }

        /** The score of each key for one query from its first key on, {@link #UNSEEN} if the query does not attend to it. */
        double[] scores(AttentionOptions settings, Elements likeQueries, long b, long t, long h, Elements likeKeys) {
            Elements mask = settings.attentionMask() == null ? null : Elements.of(settings.attentionMask());
            int first = firstKey(settings, b, t);
            int end = (int) Math.min(text(settings, t).end, settings.endOfKeys((int) t, (int) queries, (int) keys));
            double[] scores = new double[Math.max(0, end - first)];
            for (int i = 0; i < scores.length; i++) {
                long s = (long) first + i;
                boolean padding = mask != null && mask.getInt(b * keys + s) == 0;
                double score = settings.scale() * dot(likeQueries, b, t, h, likeKeys, s);
                scores[i] = padding ? UNSEEN : capped(score, settings.softcap());
            }
            return scores;
        }

        /** The offset of query t of head h in {@code [B, T, H, D]}. */
        long query(long b, long t, long h) {
            return ((b * queries + t) * heads + h) * length;
        }

        /** The offset of key s for query head h in {@code [B, S, G, D]}. */
        long key(long b, long s, long h) {
            return ((b * keys + s) * keyHeads + h / (heads / keyHeads)) * length;
        }

        long statistic(long b, long h, long t) {
            return (b * heads + h) * queries + t;
        }

        /** The dot product of a vector in the layout of the queries and one in the layout of the keys. */
        double dot(Elements likeQueries, long b, long t, long h, Elements likeKeys, long s) {
            double sum = 0;
            for (long d = 0; d < length; d++) {
                sum += likeQueries.get(query(b, t, h) + d) * likeKeys.get(key(b, s, h) + d);
            }
            return sum;
        }
    }
}
