package io.gradus.bench.cases;

import io.gradus.bench.libtorch.TorchTraining;
import io.gradus.core.Device;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * A complete training step: forward, loss, backward, AdamW. Both sides start from the same weights, and the losses of the first
 * steps are compared.
 */
public final class TrainingStepCases implements Group {
    private static final int COMPARED_STEPS = 5;
    /** Relative, for losses of about 10. Rounding errors differ and grow from step to step. */
    private static final double TOLERANCE = 1e-4;
    /** With BF16, the sides round different intermediate results. */
    private static final double BF16_TOLERANCE = 3e-3;

    private final Network network;
    private final Precision precision;
    private final List<Batch> batches;

    /**
     * The size of a batch.
     *
     * @param size number of sequences
     * @param length tokens per sequence
     */
    public record Batch(int size, int length) {
        public int tokens() {
            return size * length;
        }

        @Override
        public String toString() {
            return "B " + size + " T " + length;
        }
    }

    public TrainingStepCases(Network network, Precision precision, Batch... batches) {
        this.network = network;
        this.precision = precision;
        this.batches = List.of(batches);
    }

    @Override
    public String name() {
        return precision.group(network.name().toLowerCase(Locale.ROOT));
    }

    public List<Batch> batches() {
        return batches;
    }

    /** The name of the case for a batch. */
    public String caseName(Batch batch) {
        return name() + " " + batch;
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        for (Batch batch : batches) {
            GradusTraining ours = network.train(device, precision, batch.size, batch.length);
            try (TorchTraining theirs = network.trainWithLibTorch(precision, batch.size, batch.length)) {
                Network.copyWeights(ours.model(), theirs.model());
                measure.accept(new Case(
                        caseName(batch),
                        ours::step,
                        theirs::step,
                        () -> difference(ours, theirs),
                        precision.multipliesBf16() ? BF16_TOLERANCE : TOLERANCE,
                        null));
            }
        }
    }

    /** The largest relative difference of the losses in the first steps. */
    private static double difference(GradusTraining ours, TorchTraining theirs) {
        double difference = 0;
        for (int step = 0; step < COMPARED_STEPS; step++) {
            double apart = Math.abs(ours.step() / theirs.step() - 1);
            difference = Double.isFinite(apart) ? Math.max(difference, apart) : Double.POSITIVE_INFINITY;
        }
        return difference;
    }
}
