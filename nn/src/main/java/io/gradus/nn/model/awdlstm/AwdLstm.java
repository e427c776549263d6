package io.gradus.nn.model.awdlstm;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.nn.Initializer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import org.jspecify.annotations.Nullable;

/**
 * AWD-LSTM (Merity, Keskar &amp; Socher 2017), the language model of ULMFiT (Howard &amp; Ruder 2018), in the form of fastai. Its
 * five regularizers, all of them in training mode only:
 *
 * <ul>
 *   <li>dropped weights between the hidden states of two steps ({@code weight_p}, section 2 of the paper);
 *   <li>variational dropout, the same at every step, of the embeddings, between the layers and of the output ({@code input_p},
 *       {@code hidden_p}, {@code output_p}, section 4.2);
 *   <li>dropped words of the vocabulary ({@code embed_p}, section 4.3);
 *   <li>activation regularization, {@code alpha·mean(h²)} of the dropped output, and temporal activation regularization,
 *       {@code beta·mean((hₜ − hₜ₋₁)²)} of the output ({@link #penalty}, section 4.6).
 * </ul>
 *
 * <p>The state of the layers is in the cache of the input: a call with a cache continues where the last one ended, and no gradient
 * passes from call to call (truncated backpropagation). Without a cache each row begins with a state of 0.
 */
public final class AwdLstm extends LanguageModel {
    private final AwdLstmConfig config;
    private final AwdLstmEncoder encoder;
    private final LockedDropout outputDropout;
    private final Variable decoderWeight;
    private final @Nullable Variable decoderBias;

    /** The output of the last forward pass in training mode, {@code [T, B, emb_sz]}, for the temporal regularization. */
    private transient @Nullable Variable output;

    /** Builds the network with weights from a source. */
    AwdLstm(AwdLstmConfig config, WeightSource weights) {
        this.config = config;
        this.encoder = register(new AwdLstmEncoder(config, weights));
        this.outputDropout = register("output_dp", new LockedDropout(config.outputP(), AwdLstmEncoder.OUTPUT));
        WeightSource decoder = weights.in("decoder");
        Shape shape = Shape.of(config.vocabSize(), config.embSz());
        this.decoderWeight = config.tieWeights()
                ? encoder.table()
                : register(decoder.parameter("weight", shape, AwdLstmEncoder.UNIFORM));
        this.decoderBias = config.outBias()
                ? register(decoder.parameter("bias", Shape.of(config.vocabSize()), Initializer.zeros()))
                : null;
    }

    /** @throws IllegalArgumentException if a row has several documents, or padding on the left: a state passes through both */
    @Override
    public Variable hiddenStates(Input input) {
        AwdLstmEncoder.lengths(input); // rejects what is not supported
        Variable raw = encoder.forward(input.ids(), input.cache(), this::applyLayer);
        output = isTraining() ? raw : null;
        return outputDropout.forward(raw).permute(1, 0, 2);
    }

    @Override
    public @Nullable Variable penalty(Variable hidden) {
        Variable raw = output;
        Variable penalty = null;
        if (isTraining() && config.alpha() > 0) {
            penalty = hidden.multiply(hidden).mean().multiply(config.alpha());
        }
        if (isTraining() && config.beta() > 0 && raw != null && raw.shape().get(0) > 1) {
            long steps = raw.shape().get(0);
            Variable change = raw.slice(0, 1, steps).subtract(raw.slice(0, 0, steps - 1));
            Variable temporal = change.multiply(change).mean().multiply(config.beta());
            penalty = penalty == null ? temporal : penalty.add(temporal);
        }
        return penalty;
    }

    @Override
    public Variable lmHeadWeight() {
        return decoderWeight;
    }

    @Override
    protected @Nullable Variable lmHeadBias() {
        return decoderBias;
    }

    @Override
    public AwdLstmConfig config() {
        return config;
    }
}
