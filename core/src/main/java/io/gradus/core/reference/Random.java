package io.gradus.core.reference;

import io.gradus.core.Philox;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.RandomKernels;

/** Element i is word {@code i % 4} of block {@code i / 4}. */
final class Random implements RandomKernels {

    @Override
    public void uniform(Tensor out, double low, double high, Philox.Key key) {
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            to.set(i, low + (high - low) * Philox.uniform(words(key, i)[(int) (i % 4)]));
        }
    }

    @Override
    public void normal(Tensor out, double mean, double standardDeviation, Philox.Key key) {
        Elements to = Elements.of(out);
        double[] pair = new double[2];
        for (long i = 0; i < out.size(); i++) {
            int[] words = words(key, i);
            int first = (int) (i % 4) / 2 * 2;
            Philox.normalPair(words[first], words[first + 1], pair);
            to.set(i, mean + standardDeviation * pair[(int) (i % 2)]);
        }
    }

    @Override
    public void dropout(Tensor x, double p, Philox.Key key, Tensor out, boolean accumulate) {
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long i = 0; i < out.size(); i++) {
            boolean kept = Philox.uniform(words(key, i)[(int) (i % 4)]) >= p;
            to.put(i, kept ? from.get(i) / (1 - p) : 0, accumulate);
        }
    }

    private static int[] words(Philox.Key key, long i) {
        int[] words = new int[4];
        Philox.block(key, i / 4, words);
        return words;
    }
}
