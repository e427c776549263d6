package com.example;

import io.gradus.autograd.Variable;
import io.gradus.nn.Initializer;
import io.gradus.nn.Layer;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.RmsNorm;
import io.gradus.nn.WeightSource;

/** A layer of this program: {@code x + W₂(sigmoid(W₁n) · W₃n)} with {@code n} the RMS norm of x. */
final class GatedBlock extends Module implements Layer {
    private final RmsNorm norm;
    private final Linear gate;
    private final Linear up;
    private final Linear down;

    GatedBlock(WeightSource weights, int width) {
        Initializer normal = Initializer.normal(0.05);
        this.norm = register(new RmsNorm(weights.in("norm"), width, 1e-6));
        this.gate = register(new Linear(weights.in("gate"), width, 2 * width, false, normal));
        this.up = register(new Linear(weights.in("up"), width, 2 * width, false, normal));
        this.down = register(new Linear(weights.in("down"), 2 * width, width, false, normal));
    }

    @Override
    public Variable forward(Variable x) {
        Variable n = norm.forward(x);
        return x.add(down.forward(gate.forward(n).sigmoid().multiply(up.forward(n))));
    }
}
