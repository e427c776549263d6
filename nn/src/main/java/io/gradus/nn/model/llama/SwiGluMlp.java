package io.gradus.nn.model.llama;

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
     */
    public SwiGluMlp(WeightSource weights, LlamaConfig config) {
        long hidden = config.hiddenSize();
        long intermediate = config.intermediateSize();
        boolean bias = config.mlpBias();
        this.activation = config.hiddenAct();
        Initializer normal = Initializer.normal(config.initializerRange());
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
        Variable gate = gateProj.forward(x);
        Variable up = upProj.forward(x);
        boolean silu = activation == Activation.SILU;
        return downProj.forward(
                silu ? Variable.swiglu(gate, up) : activation.forward(gate).multiply(up));
    }
}
