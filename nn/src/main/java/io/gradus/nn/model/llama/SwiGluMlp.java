package io.gradus.nn.model.llama;

import io.gradus.autograd.Variable;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;

/**
 * The feed-forward block of Llama: {@code down(silu(gate(x)) ⊙ up(x))}, SwiGLU (Shazeer 2020, eq. 6) with Hugging Face's
 * names.
 */
public final class SwiGluMlp extends Module {
    private final Linear gate;
    private final Linear up;
    private final Linear down;

    /**
     * @param weights gives {@code gate_proj}, {@code up_proj} and {@code down_proj}
     * @param width of the model
     * @param intermediate width between the layers
     */
    public SwiGluMlp(WeightSource weights, long width, long intermediate, boolean bias, Initializer initializer) {
        this.gate = child(new Linear(weights.in("gate_proj"), width, intermediate, bias, initializer));
        this.up = child(new Linear(weights.in("up_proj"), width, intermediate, bias, initializer));
        this.down = child(new Linear(weights.in("down_proj"), intermediate, width, bias, initializer));
    }

    public Variable forward(Variable x) {
        return down.forward(Variable.swiglu(gate.forward(x), up.forward(x)));
    }
}
