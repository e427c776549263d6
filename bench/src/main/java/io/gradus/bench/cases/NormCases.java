package io.gradus.bench.cases;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.bench.measure.Work;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Layer norm and RMS norm over rows of 768 elements: forward, and with the gradients of the input and the parameters through
 * autograd. libtorch: {@code at::layer_norm} and {@code at::rms_norm}, which have no form without allocation.
 */
public final class NormCases implements Group {
    private static final long ROWS = 1024;
    private static final long WIDTH = 768;
    private static final double EPS = 1e-5;
    private static final double TOLERANCE = 1e-5;
    /** For gradients of parameters, which are sums over all rows. */
    private static final double SUMS_TOLERANCE = 1e-4;

    @Override
    public String name() {
        return "norms";
    }

    @Override
    public void run(Device device, Consumer<Case> measure) {
        try (Scope _ = Scope.open("norms");
                PointerScope _ = new PointerScope()) {
            Leaf x = new Leaf("x", Twin.random(device, 1, 2, ROWS, WIDTH));
            Leaf weight = new Leaf("weight", Twin.random(device, 2, 1, WIDTH));
            Leaf bias = new Leaf("bias", Twin.random(device, 3, 1, WIDTH));
            Twin dy = Twin.random(device, 4, 1, ROWS, WIDTH);
            long[] shape = {WIDTH};
            TensorOptional theirWeight = new TensorOptional(weight.theirs);
            TensorOptional theirBias = new TensorOptional(bias.theirs);
            DoubleOptional eps = new DoubleOptional(EPS);
            measure(
                    measure,
                    "layer norm",
                    () -> x.ours.layerNorm(weight.ours, bias.ours, EPS),
                    () -> torch.layer_norm(x.theirs, shape, theirWeight, theirBias, EPS, true),
                    dy,
                    x,
                    weight,
                    bias);
            measure(
                    measure,
                    "RMS norm",
                    () -> x.ours.rmsNorm(weight.ours, EPS),
                    () -> torch.rms_norm(x.theirs, shape, theirWeight, eps),
                    dy,
                    x,
                    weight);
        }
    }

    private static void measure(
            Consumer<Case> measure,
            String name,
            Supplier<Variable> ours,
            Supplier<Tensor> theirs,
            Twin dy,
            Leaf... leaves) {
        Runnable oursForward = () -> {
            try (Scope _ = Scope.open("forward")) {
                Autograd.noGrad(ours);
            }
        };
        Runnable theirsForward = () -> {
            try (NoGradGuard _ = new NoGradGuard()) {
                theirs.get().close();
            }
        };
        BoolOptional keepGraph = new BoolOptional(false);
        TensorArrayRefOptional allLeaves = new TensorArrayRefOptional();
        Runnable oursBoth = () -> {
            try (Scope _ = Scope.open("forward and backward")) {
                for (Leaf leaf : leaves) {
                    leaf.ours.clearGrad();
                }
                ours.get().backward(dy.ours(), false);
            }
        };
        Runnable theirsBoth = () -> {
            try (PointerScope _ = new PointerScope()) {
                for (Leaf leaf : leaves) {
                    leaf.theirs.mutable_grad().reset();
                }
                theirs.get().backward(dy.theirs(), keepGraph, false, allLeaves);
            }
        };
        double bytes = 4.0 * ROWS * WIDTH;
        measure.accept(new Case(
                name + " fwd",
                oursForward,
                theirsForward,
                () -> {
                    try (Scope _ = Scope.open("check");
                            PointerScope _ = new PointerScope()) {
                        return Twin.difference(ours.get().value(), theirs.get());
                    }
                },
                TOLERANCE,
                Work.bytes(2 * bytes)));
        measure.accept(new Case(
                name + " fwd+bwd",
                oursBoth,
                theirsBoth,
                () -> {
                    oursBoth.run();
                    theirsBoth.run();
                    return DoubleStream.of(java.util.Arrays.stream(leaves)
                                    .mapToDouble(Leaf::difference)
                                    .toArray())
                            .max()
                            .orElseThrow();
                },
                SUMS_TOLERANCE,
                Work.bytes(5 * bytes)));
    }

    /** A tensor for which both sides compute a gradient. */
    private static final class Leaf {
        private final Variable ours;
        private final Tensor theirs;

        Leaf(String name, Twin twin) {
            ours = Variable.parameter(name, twin.ours());
            theirs = twin.theirs();
            theirs.set_requires_grad(true);
        }

        double difference() {
            var gradient = ours.grad();
            if (gradient == null) {
                throw new IllegalStateException(ours + " has no gradient");
            }
            return Twin.difference(gradient, theirs.grad());
        }
    }
}
