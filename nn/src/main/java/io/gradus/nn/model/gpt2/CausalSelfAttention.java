package io.gradus.nn.model.gpt2;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.nn.AttentionDropout;
import io.gradus.nn.Dropout;
import io.gradus.nn.Initializer;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.decoder.SelfAttention;
import java.util.List;

/**
 * GPT-2's causal multi-head self-attention (Vaswani et al. 2017, section 3.2.2): one layer computes queries, keys and values
 * together; position information is added elsewhere.
 */
public final class CausalSelfAttention extends Module {
    private final long headDim;
    private final Conv1D cAttn;
    private final Conv1D cProj;
    private final SelfAttention attention;
    private final Dropout residDropout;

    /**
     * @param weights provides {@code c_attn}, {@code [n_embd, 3·n_embd]} for queries, keys and values in this order, and
     *     {@code c_proj}, {@code [n_embd, n_embd]}
     * @param layer the index of this layer in the key-value cache
     */
    public CausalSelfAttention(WeightSource weights, Gpt2Config config, int layer) {
        long width = config.nEmbd();
        this.headDim = width / config.nHead();
        double scale = config.scaleAttnWeights() ? 1 / Math.sqrt((double) headDim) : 1;
        double own = config.scaleAttnByInverseLayerIdx() ? scale / (layer + 1) : scale;
        this.cAttn = register(
                new Conv1D(weights.in("c_attn"), width, 3 * width, Initializer.normal(config.initializerRange())));
        this.cProj = register(new Conv1D(weights.in("c_proj"), width, width, config.residualInitializer()));
        double p = config.attnPdrop();
        this.attention = register(
                "attention",
                new SelfAttention(
                        layer,
                        new AttentionOptions(true, null, own),
                        p == 0 ? null : new AttentionDropout(p, Gpt2Config.dropoutLayer(layer, 0))));
        this.residDropout =
                register("resid_dropout", new Dropout(config.residPdrop(), 0, Gpt2Config.dropoutLayer(layer, 1)));
    }

    /**
     * @param x {@code [B, T, n_embd]}
     * @param input padding mask, document starts and cache of the forward pass
     * @return {@code [B, T, n_embd]}
     * @throws IllegalStateException if there is a cache and gradients are recorded: none pass through a cache
     */
    public Variable forward(Variable x, Input input) {
        long width = x.shape().last();
        List<Variable> qkv = cAttn.forward(x).split(-1, width, width, width).stream()
                .map(part -> SelfAttention.heads(part, headDim))
                .toList();
        return residDropout.forward(cProj.forward(attention.forward(qkv.get(0), qkv.get(1), qkv.get(2), input)));
    }
}
