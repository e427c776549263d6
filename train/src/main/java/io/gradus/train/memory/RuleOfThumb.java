package io.gradus.train.memory;

import io.gradus.nn.model.ModelConfig;
import io.gradus.train.recipe.Recipe.ParallelKind;

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

    /** The rule for the model and the batch of a plan. */
    public static RuleOfThumb of(MemoryPlan plan, ModelConfig config) {
        return new RuleOfThumb(plan.parameters(), plan.tokens(), config.hiddenSize(), config.numHiddenLayers());
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

    /**
     * What each of several processes has of {@link #modelBytes()}, with the largest share (Rajbhandari et al. 2020, section 5 and
     * figure 1): ZeRO-1 divides the optimizer's bytes, ZeRO-2 also the gradients', and ZeRO-3 also the weights'.
     */
    public long modelBytes(Precision precision, ParallelKind parallel, int processes) {
        int stage = stage(parallel);
        return share(weightBytes(precision), stage >= 3, processes)
                + share(gradientBytes(precision), stage >= 2, processes)
                + share(optimizerBytes(precision), stage >= 1, processes);
    }

    private static long share(long bytes, boolean divided, int processes) {
        return divided ? Math.ceilDiv(bytes, processes) : bytes;
    }

    /** The stage of ZeRO, from 1 to 3; 0 if everything is on all processes. */
    private static int stage(ParallelKind parallel) {
        return Math.max(0, parallel.compareTo(ParallelKind.DATA));
    }

    /**
     * The bytes that each process sends in a step with one batch, and as many that it receives (Rajbhandari et al. 2020, section 7).
     * Adding up the gradients and giving each process its part sends the size of the gradients; collecting the parts of the weights
     * sends the size of the weights, which ZeRO-3 does twice; all times (n − 1)/n. Data parallelism collects the sums of the
     * gradients in the place of weights.
     */
    public long sentBytes(Precision precision, ParallelKind parallel, int processes) {
        int weights = stage(parallel) >= 3 ? 2 : 1;
        long all = gradientBytes(precision) + weights * weightBytes(precision);
        return Math.ceilDiv(all * (processes - 1), processes);
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
