package io.gradus.bench.cases;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.bench.libtorch.LibTorch;
import io.gradus.bench.measure.Work;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.global.torch;

/**
 * Cross-entropy of 256 rows of GPT-2's logits. Ours: the fused kernel that autograd uses in a training step. libtorch:
 * {@code at::cross_entropy_loss} and its {@code backward()}, as in eager PyTorch, which has no fused form.
 */
public final class CrossEntropyCases implements Group {
    private static final int ROWS = 256;
    private static final int CLASSES = 50_257;
    private static final double TOLERANCE = 1e-5;

    @Override
    public String name() {
        return "cross-entropy";
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        try (Scope _ = Scope.open("cross-entropy");
                PointerScope _ = new PointerScope()) {
            Twin logits = Twin.random(device, 1, 5, ROWS, CLASSES);
            int[] classes = new SplittableRandom(2).ints(ROWS, 0, CLASSES).toArray();
            Tensor targets = Tensor.of(device, classes, ROWS);
            var theirTargets = LibTorch.indices(classes, ROWS);
            logits.theirs().set_requires_grad(true);
            Tensor losses = logits.ours().emptyLike(Shape.of(ROWS));
            Tensor logSumExp = logits.ours().emptyLike(Shape.of(ROWS));
            Tensor dlogits = logits.ours().emptyLike(Shape.of(ROWS, CLASSES));
            var kernels = device.kernels().crossEntropy();
            int ignore = CrossEntropy.IGNORE_INDEX;

            Runnable forward = () -> kernels.forward(logits.ours(), targets, ignore, losses, logSumExp);
            Runnable theirForward = () -> {
                try (NoGradGuard _ = new NoGradGuard()) {
                    torch.cross_entropy_loss(logits.theirs(), theirTargets).close();
                }
            };
            Runnable both =
                    () -> kernels.forwardBackward(logits.ours(), targets, ignore, null, 1.0 / ROWS, losses, dlogits);
            Runnable theirBoth = () -> {
                try (PointerScope _ = new PointerScope()) {
                    logits.theirs().mutable_grad().reset();
                    torch.cross_entropy_loss(logits.theirs(), theirTargets).backward();
                }
            };
            double bytes = 4.0 * ROWS * CLASSES;
            measure.accept(new Case(
                    "cross-entropy fwd",
                    forward,
                    theirForward,
                    () -> {
                        forward.run();
                        double sum = 0;
                        for (float loss : losses.toFloats()) {
                            sum += loss;
                        }
                        try (var theirs = torch.cross_entropy_loss(logits.theirs(), theirTargets)) {
                            return Math.abs(sum / ROWS / theirs.item_float() - 1);
                        }
                    },
                    TOLERANCE,
                    Work.bytes(bytes)));
            measure.accept(new Case(
                    "cross-entropy fwd+bwd",
                    both,
                    theirBoth,
                    () -> {
                        both.run();
                        theirBoth.run();
                        return Twin.difference(dlogits, logits.theirs().grad());
                    },
                    TOLERANCE,
                    Work.bytes(2 * bytes)));
        }
    }
}
