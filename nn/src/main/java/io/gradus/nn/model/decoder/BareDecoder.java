package io.gradus.nn.model.decoder;

import io.gradus.autograd.Variable;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.PretrainedModel;

/** A decoder without a head: its result is the hidden states after the last norm, {@code [B, T, hidden_size]}. */
public final class BareDecoder extends PretrainedModel {
    private final ModelConfig config;
    private final LanguageModel decoder;

    /** @param decoder without a weight of an output layer */
    BareDecoder(ModelConfig config, LanguageModel decoder) {
        this.config = config;
        this.decoder = register(decoder);
    }

    @Override
    public Variable hiddenStates(Input input) {
        return decoder.hiddenStates(input);
    }

    @Override
    public Variable logits(Variable hidden) {
        return hidden;
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public Head head() {
        return new Head.None();
    }

    @Override
    public void setActivationCheckpointing(boolean checkpointing) {
        decoder.setActivationCheckpointing(checkpointing);
    }
}
