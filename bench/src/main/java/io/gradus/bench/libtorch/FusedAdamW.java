package io.gradus.bench.libtorch;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Function;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * AdamW with {@code at::_fused_adamw_}, which {@code torch.optim.AdamW(fused=True)} calls: one pass over a parameter and its state.
 * The C++ class {@code torch::optim::AdamW} makes many passes and is several times slower, so this is the fastest choice in C++.
 */
public final class FusedAdamW {
    private static final Function STEP = Script.function("adamw");

    private final List<Tensor> parameters;
    private final IValueVector arguments;

    public FusedAdamW(List<Tensor> parameters, double learningRate, double weightDecay) {
        this.parameters = parameters;
        List<Tensor> first = new ArrayList<>();
        List<Tensor> second = new ArrayList<>();
        List<Tensor> steps = new ArrayList<>();
        try (NoGradGuard _ = new NoGradGuard()) {
            for (Tensor parameter : parameters) {
                first.add(torch.zeros_like(parameter));
                second.add(torch.zeros_like(parameter));
                steps.add(torch.zeros(new long[0]));
            }
        }
        arguments = new IValueVector(
                Script.list(parameters),
                Script.list(first),
                Script.list(second),
                Script.list(steps),
                new IValue(learningRate),
                new IValue(weightDecay));
    }

    /** Performs a step. */
    public void step() {
        try (NoGradGuard _ = new NoGradGuard()) {
            STEP.apply(arguments).close();
        }
    }

    /**
     * {@code zero_grad(set_to_none=True)}, the default in PyTorch: frees the gradients, so that the next ones are stored instead of
     * added.
     */
    public void zeroGrad() {
        for (Tensor parameter : parameters) {
            try (Tensor gradient = parameter.mutable_grad()) {
                gradient.reset();
            }
        }
    }
}
