package io.gradus.nn.model.decoder;

import static io.gradus.nn.model.decoder.SelfAttention.heads;

import io.gradus.autograd.Variable;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.PretrainedModel.Input;
import org.jspecify.annotations.Nullable;

/**
 * Self-attention with rotary positions in which several query heads share one key-value head (Ainslie et al. 2023).
 * With as many key-value heads as query heads it is ordinary multi-head attention.
 */
public final class GroupedQueryAttention extends Module {
    private final long headDim;
    private final Linear qProj;
    private final Linear kProj;
    private final Linear vProj;
    private final Linear oProj;
    private final SelfAttention attention;

    /**
     * @param weights provides {@code q_proj}, {@code k_proj}, {@code v_proj} and {@code o_proj}
     * @param inputBias whether the first three have biases
     * @param outputBias whether the last has one
     * @param attention of the heads
     */
    public GroupedQueryAttention(
            WeightSource weights,
            DecoderSettings settings,
            boolean inputBias,
            boolean outputBias,
            SelfAttention attention) {
        this.headDim = settings.headDim();
        long hidden = settings.hiddenSize();
        long queries = settings.numAttentionHeads() * headDim;
        long keys = settings.numKeyValueHeads() * headDim;
        Initializer normal = settings.initializer();
        this.qProj = register(new Linear(weights.in("q_proj"), hidden, queries, inputBias, normal));
        this.kProj = register(new Linear(weights.in("k_proj"), hidden, keys, inputBias, normal));
        this.vProj = register(new Linear(weights.in("v_proj"), hidden, keys, inputBias, normal));
        this.oProj = register(new Linear(weights.in("o_proj"), queries, hidden, outputBias, normal));
        this.attention = register("attention", attention);
    }

    /**
     * @param x {@code [B, T, hidden_size]}
     * @param input positions, padding mask, document starts and cache of the forward pass
     * @param rotary of the positions, or null for a layer that does not know them
     * @return {@code [B, T, hidden_size]}
     * @throws IllegalStateException if there is a cache and gradients are recorded: none pass through a cache
     */
    public Variable forward(Variable x, Input input, @Nullable RotaryTable rotary) {
        Variable q = heads(qProj.forward(x), headDim);
        Variable k = heads(kProj.forward(x), headDim);
        Variable v = heads(vProj.forward(x), headDim);
        if (rotary != null) {
            q = rotary.rotate(q, input.positions());
            k = rotary.rotate(k, input.positions());
        }
        return oProj.forward(attention.forward(q, k, v, input));
    }
}
