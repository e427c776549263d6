package io.gradus.nn.model.encoder;

import io.gradus.autograd.Variable;
import io.gradus.nn.Activation;
import io.gradus.nn.LayerNorm;
import io.gradus.nn.Linear;
import org.jspecify.annotations.Nullable;

/**
 * The prediction of masked tokens (Devlin et al. 2019, section 3.1): a dense layer with an activation, a layer norm, and an output
 * layer with a score for each token of the vocabulary.
 */
public final class MaskedLanguageHead extends EncoderHead {
    private final Linear dense;
    private final Activation activation;
    private final LayerNorm norm;
    private final Variable weight;
    private final @Nullable Variable bias;

    /**
     * A head with the layers of a family.
     *
     * @param weight of the output layer; the embedding table if the two are tied
     * @param bias of the output layer, or null
     */
    public MaskedLanguageHead(
            Linear dense, Activation activation, LayerNorm norm, Variable weight, @Nullable Variable bias) {
        this.dense = register(dense);
        this.activation = activation;
        this.norm = register(norm);
        this.weight = register(weight);
        this.bias = bias == null ? null : register(bias);
    }

    @Override
    protected Variable features(Variable states, Texts texts) {
        return norm.forward(activation.forward(dense.forward(states)));
    }

    @Override
    protected Variable weight() {
        return weight;
    }

    @Override
    protected @Nullable Variable bias() {
        return bias;
    }
}
