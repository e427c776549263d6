package io.gradus.bench.cases;

import static io.gradus.core.MemoryCategory.OPTIMIZER_STATE;

import io.gradus.bench.libtorch.FusedAdamW;
import io.gradus.bench.measure.Work;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamStep;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;

/**
 * AdamW's step over 100 million weights, limited by memory bandwidth: 28 bytes per weight, with four numbers read and three
 * written. libtorch: {@link FusedAdamW}.
 */
public final class AdamWCases implements Group {
    private static final int WEIGHTS = 100_000_000;
    private static final double LEARNING_RATE = 1e-4;
    private static final double WEIGHT_DECAY = 0.01;
    private static final double TOLERANCE = 1e-5;

    @Override
    public String name() {
        return "adamw";
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        try (Scope _ = Scope.open("adamw");
                PointerScope _ = new PointerScope()) {
            Twin weights = Twin.random(device, 1, 0.1, WEIGHTS);
            Twin gradient = Twin.random(device, 2, 0.01, WEIGHTS);
            Tensor first =
                    Tensor.zeros(device, weights.ours().dtype(), weights.ours().shape(), OPTIMIZER_STATE);
            Tensor second =
                    Tensor.zeros(device, weights.ours().dtype(), weights.ours().shape(), OPTIMIZER_STATE);
            weights.theirs().set_requires_grad(true);
            weights.theirs().mutable_grad().put(gradient.theirs());
            FusedAdamW theirOptimizer = new FusedAdamW(List.of(weights.theirs()), LEARNING_RATE, WEIGHT_DECAY);
            AtomicLong step = new AtomicLong();
            Runnable ours = () -> device.kernels()
                    .optimizerSteps()
                    .adam(
                            weights.ours(),
                            gradient.ours(),
                            first,
                            second,
                            new AdamStep(
                                    LEARNING_RATE, 0.9, 0.999, 1e-8, WEIGHT_DECAY, true, 1, step.incrementAndGet()));
            Runnable theirs = theirOptimizer::step;
            measure.accept(new Case(
                    "AdamW 100M",
                    ours,
                    theirs,
                    () -> {
                        for (int i = 0; i < 3; i++) {
                            ours.run();
                            theirs.run();
                        }
                        return weights.difference();
                    },
                    TOLERANCE,
                    Work.bytes(28.0 * WEIGHTS)));
        }
    }
}
