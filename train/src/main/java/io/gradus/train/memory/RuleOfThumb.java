package io.gradus.train.memory;

/**
 * What training a model with Adam takes, reckoned on paper: 16 bytes a parameter, and activations in proportion to what passes
 * through the model.
 *
 * <p>With N parameters (Rajbhandari et al. 2020, ZeRO, section 3.1):
 *
 * <pre>
 *                     weights   gradients   optimiser
 *   F32               4N      + 4N        + 8N           two moments
 *   mixed precision   2N      + 2N        + 12N          an F32 copy of the weights, two moments
 * </pre>
 *
 * Both are 16N. For the activations, with b texts of s tokens, L layers and the width d: {@code s·b·d·L·k}. Here k is the
 * bytes that a layer keeps of each token for each unit of width until the backward pass. The rule says nothing of the logits,
 * which grow with the vocabulary; {@link MemoryPlan} counts them. (Korthikanti et al. 2022, eq. 1, arrive at k = 34 for a
 * layer of GPT in 16 bits whose attention scores are not kept.)
 *
 * @param parameters N
 * @param tokens s·b
 * @param width d
 * @param layers L
 */
public record RuleOfThumb(long parameters, long tokens, int width, int layers) {
    /** Numbers that a layer keeps of each token for each unit of width: in 16 bits the k that the published table fits. */
    private static final int ACTIVATIONS = 6;

    /** Bytes of a GPU in the published table. */
    public static final long GPU_BYTES = 80_000_000_000L;

    /** What numbers are kept in, and so the bytes of a parameter's weight, gradient and optimiser state. */
    public enum Precision {
        F32(4, 4, 8),
        /** Weights, gradients and activations in 16 bits. */
        MIXED(2, 2, 12);

        private final int weight;
        private final int gradient;
        private final int optimizer;

        Precision(int weight, int gradient, int optimizer) {
            this.weight = weight;
            this.gradient = gradient;
            this.optimizer = optimizer;
        }
    }

    public long weightBytes(Precision precision) {
        return precision.weight * parameters;
    }

    public long gradientBytes(Precision precision) {
        return precision.gradient * parameters;
    }

    public long optimizerBytes(Precision precision) {
        return precision.optimizer * parameters;
    }

    /** 16N: weights, gradients and optimiser state, in either precision. */
    public long modelBytes() {
        return weightBytes(Precision.MIXED) + gradientBytes(Precision.MIXED) + optimizerBytes(Precision.MIXED);
    }

    /** {@code s·b·d·L·k}. */
    public long activationBytes(Precision precision) {
        return tokens * width * layers * activationFactor(precision);
    }

    /** The k of {@link #activationBytes}: 12 in mixed precision, 24 in F32. */
    public static int activationFactor(Precision precision) {
        return ACTIVATIONS * precision.weight;
    }

    /** The k with which the activations would be so many bytes. */
    public double activationFactor(long bytes) {
        return (double) bytes / ((double) tokens * width * layers);
    }

    /** How many GPUs of 80 GB hold all of it in mixed precision, spread without loss. */
    public int gpus() {
        return Math.toIntExact(Math.ceilDiv(modelBytes() + activationBytes(Precision.MIXED), GPU_BYTES));
    }
}
