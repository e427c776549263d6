package io.gradus.train.memory;

/**
 * The time of a training step of several processes, by arithmetic: how long each computes, and how long it sends. How much of the
 * sending is hidden behind computation depends on the model and the network, so the time of the step lies between {@link #atLeast}
 * and {@link #atMost}.
 *
 * @param computing seconds
 * @param sending seconds, without latency and without the cost of copies
 */
public record StepTime(double computing, double sending) {
    private static final int FLOPS = 6;
    private static final int FLOPS_WITH_CHECKPOINTING = 8;
    private static final int BITS = 8;

    /**
     * The time of a step. A weight takes 6 floating-point operations per token: 2 in the forward pass and 4 in the backward pass
     * (Kaplan et al. 2020, section 2.1); with activation checkpointing, which makes the forward pass twice, 8. Attention scores and
     * the optimizer are left out.
     *
     * @param parameters of the model
     * @param tokens of one process in a step
     * @param checkpointing whether the forward pass is made twice
     * @param flops floating-point operations per second of one process
     * @param bytes that one process sends in a step, and as many that it receives at the same time
     * @param bandwidth of each process and direction, in bits per second
     */
    public static StepTime of(
            long parameters, long tokens, boolean checkpointing, double flops, long bytes, double bandwidth) {
        double work = (double) (checkpointing ? FLOPS_WITH_CHECKPOINTING : FLOPS) * parameters * tokens;
        return new StepTime(work / flops, sending(bytes, bandwidth));
    }

    /**
     * The seconds that sending takes.
     *
     * @param bandwidth in bits per second
     */
    public static double sending(long bytes, double bandwidth) {
        return BITS * (double) bytes / bandwidth;
    }

    /** If computation and communication hide each other as far as possible. */
    public double atLeast() {
        return Math.max(computing, sending);
    }

    /** If one waits for the other. */
    public double atMost() {
        return computing + sending;
    }
}
