package io.gradus.nn.model.decoder;

import io.gradus.autograd.Variable;
import io.gradus.nn.Activation;
import io.gradus.nn.Initializer;
import io.gradus.nn.Layer;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;

/**
 * Llama's feed-forward network: {@code down_proj(silu(gate_proj(x)) ⊙ up_proj(x))}, called SwiGLU (Shazeer 2020, eq. 6). The
 * configuration may name another activation than SiLU.
 */
public final class SwiGluMlp extends Module implements Layer {
    private final Activation activation;
    private final Linear gateProj;
    private final Linear upProj;
    private final Linear downProj;

    /**
     * @param weights provides {@code gate_proj} and {@code up_proj}, {@code [intermediate_size, hidden_size]}, and
     *     {@code down_proj}, {@code [hidden_size, intermediate_size]}
     * @param bias whether all three have biases
     */
    public SwiGluMlp(WeightSource weights, DecoderSettings settings, boolean bias) {
        long hidden = settings.hiddenSize();
        long intermediate = settings.intermediateSize();
        this.activation = settings.hiddenAct();
        Initializer normal = settings.initializer();
        this.gateProj = register(new Linear(weights.in("gate_proj"), hidden, intermediate, bias, normal));
        this.upProj = register(new Linear(weights.in("up_proj"), hidden, intermediate, bias, normal));
        this.downProj = register(new Linear(weights.in("down_proj"), intermediate, hidden, bias, normal));
    }

    /**
     * @param x {@code [.., hidden_size]}
     * @return {@code [.., hidden_size]}
     */
    @Override
    public Variable forward(Variable x) {
        return downProj.forward(gated(activation, gateProj.forward(x), upProj.forward(x)));
    }

    /** {@code activation(gate) ⊙ up}. */
    public static Variable gated(Activation activation, Variable gate, Variable up) {
        return activation == Activation.SILU
                ? Variable.swiglu(gate, up)
                : activation.forward(gate).multiply(up);
    }
}
