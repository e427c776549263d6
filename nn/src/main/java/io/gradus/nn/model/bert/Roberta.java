package io.gradus.nn.model.bert;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
import io.gradus.nn.Activation;
import io.gradus.nn.Dropout;
import io.gradus.nn.Initializer;
import io.gradus.nn.LayerNorm;
import io.gradus.nn.Linear;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.encoder.ClassifierHead;
import io.gradus.nn.model.encoder.EncoderHead;
import io.gradus.nn.model.encoder.MaskedLanguageHead;
import io.gradus.nn.model.encoder.Texts;
import org.jspecify.annotations.Nullable;

/**
 * RoBERTa (Liu et al. 2019) and XLM-RoBERTa (Conneau et al. 2020): {@link BertNetwork} with positions that begin after that of
 * padding, and a head. A sequence is classified by its first token, after a dense layer with a hyperbolic tangent, which belongs to
 * the head.
 */
public final class Roberta extends BertNetwork {
    private final @Nullable EncoderHead output;

    /** Builds the network with weights from a source. */
    public Roberta(BertConfig config, WeightSource weights, Head head) {
        super(config, weights, head);
        WeightSource ofHead = weights.ofHead();
        WeightSource classifier = ofHead.in("classifier");
        this.output = switch (head) {
            case Head.None _ -> null;
            case Head.LanguageModeling _ -> register(masked(config, ofHead.in("lm_head")));
            case Head.SequenceClassification(Labels labels) ->
                register(new SequenceHead(config, classifier, labels.size()));
            case Head.TokenClassification(Labels labels) ->
                register(new ClassifierHead(config.headDropout(0), config.linear(classifier, labels.size())));
        };
    }

    private MaskedLanguageHead masked(BertConfig config, WeightSource weights) {
        Linear dense = config.dense(weights.in("dense"));
        LayerNorm norm = config.norm(weights.in("layer_norm"));
        if (config.tieWordEmbeddings()) {
            Variable bias = weights.parameter("bias", Shape.of(config.vocabSize()), Initializer.zeros());
            return new MaskedLanguageHead(dense, Activation.GELU, norm, wordEmbeddings(), bias);
        }
        Linear decoder = config.linear(weights.in("decoder"), config.vocabSize());
        return new MaskedLanguageHead(dense, Activation.GELU, norm, decoder.weight(), decoder.bias());
    }

    @Override
    protected @Nullable EncoderHead output() {
        return output;
    }

    /** A classifier of the first token; dropout comes before the dense layer and before the output layer. */
    private static final class SequenceHead extends ClassifierHead {
        private final Dropout inputDropout;
        private final Linear dense;

        SequenceHead(BertConfig config, WeightSource weights, int labels) {
            super(config.headDropout(1), config.linear(weights.in("out_proj"), labels));
            this.inputDropout = register("input_dropout", config.headDropout(0));
            this.dense = register(config.dense(weights.in("dense")));
        }

        @Override
        protected Variable features(Variable states, Texts texts) {
            Variable first = inputDropout.forward(texts.firstToken(states));
            return super.features(dense.forward(first).tanh(), texts);
        }
    }
}
