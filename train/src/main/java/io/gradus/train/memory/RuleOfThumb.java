package io.gradus.train.memory;

/**
 * The rule of thumb for the memory of training with Adam: 16 bytes per parameter, and activations in proportion to the tokens and
 * the size of the model.
 *
 * <p>With N parameters (Rajbhandari et al. 2020, ZeRO, section 3.1):
 *
 * <pre>
 *                     weights   gradients   optimizer
 *   F32               4N      + 4N        + 8N           two moments
 *   mixed precision   2N      + 2N        + 12N          an F32 copy of the weights, two moments
 * </pre>
 *
 * Both are 16N. Activations take {@code s·b·d·L·k} bytes for b texts of s tokens, L layers and the hidden size d, where k is the
 * number of bytes that a layer keeps for each token and unit of d until the backward pass. The rule ignores the logits, which
 * grow with the vocabulary; {@link MemoryPlan} counts them. (Korthikanti et al. 2022, eq. 1, arrive at k = 34 for a GPT layer in
 * 16 bits that does not keep its attention scores.)
 *
 * @param parameters N
 * @param tokens s·b
 * @param width d, the hidden size
 * @param layers L
 */
public record RuleOfThumb(long parameters, long tokens, int width, int layers) {
    /** Elements that a layer keeps per token and unit of width; in 16 bits this gives the k of the published table. */
    private static final int ACTIVATIONS = 6;

    /** Memory of a GPU in the published table, in bytes. */
    public static final long GPU_BYTES = 80_000_000_000L;

    /** The precision, which decides the bytes of a parameter's weight, gradient and optimizer state. */
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

    /** 16N: weights, gradients and optimizer state, in either precision. */
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

    /** The k that corresponds to this many bytes of activations. */
    public double activationFactor(long bytes) {
        return (double) bytes / ((double) tokens * width * layers);
    }

    /** The number of 80 GB GPUs that hold everything in mixed precision, perfectly sharded. */
    public int gpus() {
        return Math.toIntExact(Math.ceilDiv(modelBytes() + activationBytes(Precision.MIXED), GPU_BYTES));
    }
}
