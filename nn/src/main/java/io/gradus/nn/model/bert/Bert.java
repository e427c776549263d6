package io.gradus.nn.model.bert;

import io.gradus.autograd.Variable;
import io.gradus.core.Shape;
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
 * BERT (Devlin et al. 2019): {@link BertNetwork} and a head. A sequence is classified by its pooled output.
 */
public final class Bert extends BertNetwork {
    private final @Nullable EncoderHead output;

    /** Builds the network with weights from a source. */
    public Bert(BertConfig config, WeightSource weights, Head head) {
        super(config, weights, head);
        WeightSource ofHead = weights.ofHead();
        WeightSource classifier = ofHead.in("classifier");
        this.output = switch (head) {
            case Head.None _ -> null;
            case Head.LanguageModeling _ ->
                register(masked(config, ofHead.in("cls").in("predictions")));
            case Head.SequenceClassification(Labels labels) ->
                register(new SequenceHead(config, classifier, labels.size()));
            case Head.TokenClassification(Labels labels) ->
                register(new ClassifierHead(config.headDropout(0), config.linear(classifier, labels.size())));
        };
    }

    private MaskedLanguageHead masked(BertConfig config, WeightSource predictions) {
        WeightSource transform = predictions.in("transform");
        Linear dense = config.dense(transform.in("dense"));
        LayerNorm norm = config.norm(transform.in("LayerNorm"));
        if (config.tieWordEmbeddings()) {
            Variable bias = predictions.parameter("bias", Shape.of(config.vocabSize()), Initializer.zeros());
            return new MaskedLanguageHead(dense, config.hiddenAct(), norm, wordEmbeddings(), bias);
        }
        Linear decoder = config.linear(predictions.in("decoder"), config.vocabSize());
        return new MaskedLanguageHead(dense, config.hiddenAct(), norm, decoder.weight(), decoder.bias());
    }

    @Override
    protected @Nullable EncoderHead output() {
        return output;
    }

    /** A classifier of the pooled output. */
    private final class SequenceHead extends ClassifierHead {
        SequenceHead(BertConfig config, WeightSource weights, int labels) {
            super(config.headDropout(0), config.linear(weights, labels));
        }

        @Override
        protected Variable features(Variable states, Texts texts) {
            return super.features(pool(texts.firstToken(states)), texts);
        }
    }
}
