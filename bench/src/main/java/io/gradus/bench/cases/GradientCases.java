package io.gradus.bench.cases;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.bench.measure.Work;
import io.gradus.core.Scope;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;

/** Two cases of one differentiable function: its value without gradients, and with the gradients of its inputs through autograd. */
final class GradientCases {
    private static final double TOLERANCE = 1e-5;
    /** For gradients, some of which are sums over all rows. */
    private static final double GRADIENT_TOLERANCE = 1e-4;

    private GradientCases() {}

    /**
     * @param dy the gradient of the result
     * @param forward the work of the first case
     * @param both the work of the second
     * @param inputs get gradients
     */
    static void measure(
            Consumer<Case> measure,
            String name,
            Supplier<Variable> ours,
            Supplier<Tensor> theirs,
            Twin dy,
            Work forward,
            Work both,
            TwinVariable... inputs) {
        Runnable oursForward = () -> {
            try (Scope _ = Scope.open("forward")) {
                Autograd.noGrad(ours);
            }
        };
        Runnable theirsForward = () -> {
            try (PointerScope _ = new PointerScope();
                    NoGradGuard _ = new NoGradGuard()) {
                var _ = theirs.get();
            }
        };
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
                forward));
        BoolOptional keepGraph = new BoolOptional(false);
        TensorArrayRefOptional allLeaves = new TensorArrayRefOptional();
        Runnable oursBoth = () -> {
            try (Scope _ = Scope.open("forward and backward")) {
                for (TwinVariable input : inputs) {
                    input.ours().clearGrad();
                }
                ours.get().backward(dy.ours(), false);
            }
        };
        Runnable theirsBoth = () -> {
            try (PointerScope _ = new PointerScope()) {
                for (TwinVariable input : inputs) {
                    input.theirs().mutable_grad().reset();
                }
                theirs.get().backward(dy.theirs(), keepGraph, false, allLeaves);
            }
        };
        measure.accept(new Case(
                name + " fwd+bwd",
                oursBoth,
                theirsBoth,
                () -> {
                    oursBoth.run();
                    theirsBoth.run();
                    return Arrays.stream(inputs)
                            .mapToDouble(TwinVariable::difference)
                            .max()
                            .orElseThrow();
                },
                GRADIENT_TOLERANCE,
                both));
    }
}
