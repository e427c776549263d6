package io.gradus.nn.model.decoder;

import static io.gradus.nn.model.ConfigJson.require;

import io.gradus.nn.model.ConfigJson;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** How the rotary frequencies of a model are changed for texts longer than those of pre-training. */
public sealed interface RopeScaling {
    /**
     * The angle per position of each pair of elements of a head.
     *
     * @param theta the base θ
     * @param headDim D, the rotated elements of a head
     * @return D/2 numbers, rounded up
     */
    double[] frequencies(double theta, int headDim);

    /** {@link #frequencies(double, int)} for a text, of which some scalings take the length into account. */
    default double[] frequencies(double theta, int headDim, long length) {
        return frequencies(theta, headDim);
    }

    /** The largest number of tokens in a text that has the frequencies of a short one; longer texts have others. */
    default long sameUpTo() {
        return Long.MAX_VALUE;
    }

    /** The factor of all cosines and sines. */
    default double attentionFactor() {
        return 1;
    }

    /** The value of {@code rope_scaling}. */
    ConfigJson toJson();

    /** The frequencies without scaling: {@code θ^(−2i/D)}. */
    static double[] unscaled(double theta, int headDim) {
        return IntStream.range(0, (headDim + 1) / 2)
                .mapToDouble(pair -> Math.pow(theta, -2.0 * pair / headDim))
                .toArray();
    }

    private static double[] scaled(double theta, int headDim, DoubleUnaryOperator scale) {
        double[] frequencies = unscaled(theta, headDim);
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scale.applyAsDouble(frequencies[i]);
        }
        return frequencies;
    }

    private static ConfigJson json(String type, double factor) {
        return new ConfigJson().set("rope_type", type).set("factor", factor);
    }

    private static void requireFactor(double factor) {
        require(factor != 0 && Double.isFinite(factor), "the factor of the rotary frequencies is " + factor);
    }

    /**
     * Position interpolation (Chen et al. 2023): all frequencies are divided by the factor.
     *
     * @param factor the ratio of the new to the original context length
     */
    record Linear(double factor) implements RopeScaling {
        public Linear {
            requireFactor(factor);
        }

        @Override
        public double[] frequencies(double theta, int headDim) {
            return scaled(theta, headDim, frequency -> frequency / factor);
        }

        @Override
        public ConfigJson toJson() {
            return json("linear", factor);
        }
    }

    /**
     * Frequencies that depend on the length of a text, once it is longer than {@code max_position_embeddings}. Since that is the
     * longest text here, they never change.
     *
     * @param factor has no effect up to that length
     */
    record Dynamic(double factor) implements RopeScaling {
        public Dynamic {
            requireFactor(factor);
        }

        @Override
        public double[] frequencies(double theta, int headDim) {
            return unscaled(theta, headDim);
        }

        @Override
        public ConfigJson toJson() {
            return json("dynamic", factor);
        }
    }

    /**
     * As in Llama 3.1: low frequencies are divided by {@code factor}, high ones are unchanged, and those between are
     * interpolated.
     *
     * @param factor the ratio of the new to the original context length
     * @param lowFreqFactor pairs with fewer rotations than this over the original context have a low frequency
     * @param highFreqFactor pairs with more rotations than this have a high frequency
     * @param originalMaxPositionEmbeddings the context length of pre-training, in tokens
     */
    record Llama3(double factor, double lowFreqFactor, double highFreqFactor, double originalMaxPositionEmbeddings)
            implements RopeScaling {
        public Llama3 {
            requireFactor(factor);
            require(lowFreqFactor != 0, "low_freq_factor is 0");
            require(highFreqFactor != 0, "high_freq_factor is 0");
        }

        double scale(double frequency) {
            double rotations = originalMaxPositionEmbeddings * frequency / (2 * Math.PI);
            if (rotations < lowFreqFactor) {
                return frequency / factor;
            }
            if (rotations > highFreqFactor) {
                return frequency;
            }
            double smooth = (rotations - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
            return (1 - smooth) * frequency / factor + smooth * frequency;
        }

        @Override
        public double[] frequencies(double theta, int headDim) {
            return scaled(theta, headDim, this::scale);
        }

        @Override
        public ConfigJson toJson() {
            return json("llama3", factor)
                    .set("low_freq_factor", lowFreqFactor)
                    .set("high_freq_factor", highFreqFactor)
                    .set("original_max_position_embeddings", (long) originalMaxPositionEmbeddings);
        }
    }

    /**
     * YaRN (Peng et al. 2023, section 3.2): as {@link Llama3}, with a ramp over the indices of the pairs; attention is also made
     * sharper.
     *
     * @param factor the ratio of the new to the original context length
     * @param originalMaxPositionEmbeddings the context length of pre-training, in tokens
     * @param attentionFactor the factor of cosines and sines
     * @param betaFast pairs with more rotations than this over the original context are unchanged
     * @param betaSlow pairs with fewer rotations than this are divided by the factor
     * @param truncate whether the ramp begins and ends at whole indices
     */
    record Yarn(
            double factor,
            double originalMaxPositionEmbeddings,
            double attentionFactor,
            double betaFast,
            double betaSlow,
            boolean truncate)
            implements RopeScaling {
        public Yarn {
            requireFactor(factor);
            require(
                    betaFast > 0 && betaSlow > 0 && originalMaxPositionEmbeddings > 0,
                    "beta_fast, beta_slow and original_max_position_embeddings of yarn must be above 0");
        }

        @Override
        public double[] frequencies(double theta, int headDim) {
            double low = pair(betaFast, theta, headDim);
            double high = pair(betaSlow, theta, headDim);
            low = Math.max(truncate ? Math.floor(low) : low, 0);
            high = Math.min(truncate ? Math.ceil(high) : high, headDim - 1);
            high = low == high ? high + 0.001 : high; // as transformers does
            double[] frequencies = unscaled(theta, headDim);
            for (int i = 0; i < frequencies.length; i++) {
                double ramp = Math.clamp((i - low) / (high - low), 0, 1);
                frequencies[i] = frequencies[i] / factor * ramp + frequencies[i] * (1 - ramp);
            }
            return frequencies;
        }

        /** The index of the pair that makes a number of rotations over the original context, in general not a whole number. */
        private double pair(double rotations, double theta, int headDim) {
            double ratio = originalMaxPositionEmbeddings / (rotations * 2 * Math.PI);
            return headDim * Math.log(ratio) / (2 * Math.log(theta));
        }

        @Override
        public ConfigJson toJson() {
            return json("yarn", factor)
                    .set("original_max_position_embeddings", (long) originalMaxPositionEmbeddings)
                    .set("attention_factor", attentionFactor)
                    .set("beta_fast", betaFast)
                    .set("beta_slow", betaSlow)
                    .set("truncate", truncate);
        }
    }

    /**
     * LongRoPE (Ding et al. 2024), as in Phi-3: each frequency is divided by a factor of its own. Texts that are longer than those of
     * pre-training have other factors than shorter ones.
     *
     * @param shortFactor of a short text, for each pair of elements
     * @param longFactor of a long text
     * @param originalMaxPositionEmbeddings the length of the longest short text: the context length of pre-training, in tokens
     * @param attentionFactor the factor of cosines and sines
     */
    record LongRope(
            List<Double> shortFactor,
            List<Double> longFactor,
            long originalMaxPositionEmbeddings,
            double attentionFactor)
            implements RopeScaling {
        public LongRope {
            shortFactor = List.copyOf(shortFactor);
            longFactor = List.copyOf(longFactor);
            Stream.of(shortFactor, longFactor).flatMap(List::stream).forEach(RopeScaling::requireFactor);
        }

        /**
         * The factor by which attention is made sharper for a longer context.
         *
         * @param factor the ratio s of the new to the original context length L
         * @return {@code √(1 + ln s / ln L)}, or 1 if the context is not longer
         */
        public static double attentionFactor(double factor, double original) {
            return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
        }

        @Override
        public double[] frequencies(double theta, int headDim) {
            return divided(theta, headDim, shortFactor);
        }

        @Override
        public double[] frequencies(double theta, int headDim, long length) {
            return divided(theta, headDim, length > originalMaxPositionEmbeddings ? longFactor : shortFactor);
        }

        private static double[] divided(double theta, int headDim, List<Double> factors) {
            double[] frequencies = unscaled(theta, headDim);
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] /= factors.get(i);
            }
            return frequencies;
        }

        @Override
        public long sameUpTo() {
            return originalMaxPositionEmbeddings;
        }

        @Override
        public ConfigJson toJson() {
            return new ConfigJson()
                    .set("type", "longrope")
                    .set("short_factor", shortFactor)
                    .set("long_factor", longFactor);
        }
    }
}
