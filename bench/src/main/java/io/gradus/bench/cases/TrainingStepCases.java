package io.gradus.bench.cases;

import io.gradus.bench.libtorch.TorchTraining;
import io.gradus.core.Device;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * A whole training step: forward, loss, backward, AdamW. Both sides begin with the same weights, and their losses are
 * compared over the first steps.
 */
public final class TrainingStepCases implements Group {
    private static final int COMPARED_STEPS = 5;
    /** Relative, of losses around 10; rounding differs, and grows with the steps. */
    private static final double TOLERANCE = 1e-4;

    private final Network network;
    private final List<Batch> batches;

    /**
     * A batch's size.
     *
     * @param size sequences
     * @param length tokens in each
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

    public TrainingStepCases(Network network, Batch... batches) {
        this.network = network;
        this.batches = List.of(batches);
    }

    @Override
    public String name() {
        return network.name().toLowerCase(Locale.ROOT);
    }

    public List<Batch> batches() {
        return batches;
    }

    /** The name of the case of a batch. */
    public String caseName(Batch batch) {
        return name() + " " + batch;
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        for (Batch batch : batches) {
            GradusTraining ours = network.train(device, batch.size, batch.length);
            try (TorchTraining theirs = network.trainWithLibTorch(batch.size, batch.length)) {
                Network.copyWeights(ours.model(), theirs.model());
                measure.accept(new Case(
                        caseName(batch), ours::step, theirs::step, () -> difference(ours, theirs), TOLERANCE, null));
            }
        }
    }

    /** The largest relative difference of the losses of the first steps. */
    private static double difference(GradusTraining ours, TorchTraining theirs) {
        double difference = 0;
        for (int step = 0; step < COMPARED_STEPS; step++) {
            double apart = Math.abs(ours.step() / theirs.step() - 1);
            difference = Double.isFinite(apart) ? Math.max(difference, apart) : Double.POSITIVE_INFINITY;
        }
        return difference;
    }
}
