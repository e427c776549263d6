package io.gradus.nn.model.distilbert;

import static io.gradus.nn.model.decoder.SelfAttention.heads;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.Shape;
import io.gradus.nn.Activation;
import io.gradus.nn.AttentionDropout;
import io.gradus.nn.Dropout;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.LayerNorm;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.SelfAttention;
import io.gradus.nn.model.encoder.ClassifierHead;
import io.gradus.nn.model.encoder.Encoder;
import io.gradus.nn.model.encoder.EncoderHead;
import io.gradus.nn.model.encoder.MaskedLanguageHead;
import io.gradus.nn.model.encoder.Texts;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * DistilBERT (Sanh et al. 2019): BERT with half of the layers, without token types, and without a pooler. A sequence is classified
 * by its first token, after a dense layer with a rectifier, which belongs to the head.
 */
public final class DistilBert extends Encoder {
    private final DistilBertConfig config;
    private final Embeddings embeddings;
    private final List<TransformerBlock> layer;
    private final @Nullable EncoderHead output;

    /** Builds the network with weights from a source. A bare network has names without a prefix. */
    public DistilBert(DistilBertConfig config, WeightSource weights, Head head) {
        super(head);
        WeightSource network = head instanceof Head.None ? weights : weights.in(DistilBertConfig.NETWORK);
        WeightSource ofHead = weights.ofHead();
        this.config = config;
        this.embeddings = register(new Embeddings(network.in("embeddings"), config));
        this.layer = IntStream.range(0, config.nLayers())
                .mapToObj(i -> register(new TransformerBlock(
                        network.in("transformer").in("layer").in(i), config, i)))
                .toList();
        this.output = switch (head) {
            case Head.None _ -> null;
            case Head.LanguageModeling _ -> register(masked(ofHead));
            case Head.SequenceClassification(Labels labels) ->
                register(new SequenceHead(config, ofHead, labels.size()));
            case Head.TokenClassification(Labels labels) ->
                register(new ClassifierHead(
                        headDropout(config, config.dropout()), config.linear(ofHead.in("classifier"), labels.size())));
        };
    }

    private MaskedLanguageHead masked(WeightSource weights) {
        WeightSource projector = weights.in("vocab_projector");
        Linear dense = config.linear(weights.in("vocab_transform"), config.dim());
        LayerNorm norm = config.norm(weights.in("vocab_layer_norm"));
        if (config.tieWordEmbeddings()) {
            Variable bias = projector.parameter("bias", Shape.of(config.vocabSize()), Initializer.zeros());
            return new MaskedLanguageHead(dense, config.activation(), norm, embeddings.wordEmbeddings.weight(), bias);
        }
        Linear decoder = config.linear(projector, config.vocabSize());
        return new MaskedLanguageHead(dense, config.activation(), norm, decoder.weight(), decoder.bias());
    }

    private static Dropout headDropout(DistilBertConfig config, double p) {
        return new Dropout(p, 0, DecoderSettings.dropoutLayer(config.nLayers(), 0));
    }

    @Override
    protected Variable lastHiddenState(Input input) {
        Variable x = embeddings.forward(input);
        for (TransformerBlock block : layer) {
            x = applyLayer(states -> block.forward(states, input), x);
        }
        return x;
    }

    @Override
    protected @Nullable EncoderHead output() {
        return output;
    }

    @Override
    public DistilBertConfig config() {
        return config;
    }

    /** The sum of the embeddings of ids and positions. */
    private static final class Embeddings extends Module {
        private final Embedding wordEmbeddings;
        private final Embedding positionEmbeddings;
        private final LayerNorm layerNorm;
        private final Dropout dropout;

        Embeddings(WeightSource weights, DistilBertConfig config) {
            this.wordEmbeddings = register(new Embedding(
                    weights.in("word_embeddings"),
                    config.vocabSize(),
                    config.dim(),
                    config.initializer(),
                    config.padTokenId()));
            this.positionEmbeddings = register(new Embedding(
                    weights.in("position_embeddings"),
                    config.maxPositionEmbeddings(),
                    config.dim(),
                    config.initializer()));
            this.layerNorm = register(config.norm(weights.in("LayerNorm")));
            this.dropout = register("dropout", new Dropout(config.dropout(), 0, 0));
        }

        Variable forward(Input input) {
            Variable sum = wordEmbeddings.forward(input.ids()).add(positionEmbeddings.forward(input.positions()));
            return dropout.forward(layerNorm.forward(sum));
        }
    }

    /**
     * One layer: attention and a feed-forward network. A residual connection goes around each of the two, and a layer norm comes
     * after it.
     */
    private static final class TransformerBlock extends Module {
        private final long headDim;
        private final Linear qLin;
        private final Linear kLin;
        private final Linear vLin;
        private final SelfAttention attention;
        private final Linear outLin;
        private final LayerNorm saLayerNorm;
        private final Activation activation;
        private final Linear lin1;
        private final Linear lin2;
        private final Dropout dropout;
        private final LayerNorm outputLayerNorm;

        TransformerBlock(WeightSource weights, DistilBertConfig config, int layer) {
            WeightSource self = weights.in("attention");
            WeightSource ffn = weights.in("ffn");
            int dim = config.dim();
            double p = config.attentionDropout();
            this.headDim = dim / config.nHeads();
            this.qLin = register(config.linear(self.in("q_lin"), dim));
            this.kLin = register(config.linear(self.in("k_lin"), dim));
            this.vLin = register(config.linear(self.in("v_lin"), dim));
            this.attention = register(
                    "attention",
                    new SelfAttention(
                            layer,
                            AttentionOptions.bidirectional(headDim),
                            p == 0 ? null : new AttentionDropout(p, DecoderSettings.dropoutLayer(layer, 0))));
            this.outLin = register(config.linear(self.in("out_lin"), dim));
            this.saLayerNorm = register(config.norm(weights.in("sa_layer_norm")));
            this.activation = config.activation();
            this.lin1 = register(config.linear(ffn.in("lin1"), config.hiddenDim()));
            this.lin2 = register(new Linear(ffn.in("lin2"), config.hiddenDim(), dim, true, config.initializer()));
            this.dropout =
                    register("dropout", new Dropout(config.dropout(), 0, DecoderSettings.dropoutLayer(layer, 1)));
            this.outputLayerNorm = register(config.norm(weights.in("output_layer_norm")));
        }

        Variable forward(Variable x, Input input) {
            Variable q = heads(qLin.forward(x), headDim);
            Variable k = heads(kLin.forward(x), headDim);
            Variable v = heads(vLin.forward(x), headDim);
            x = saLayerNorm.forward(
                    outLin.forward(attention.forward(q, k, v, input)).add(x));
            Variable fed = dropout.forward(lin2.forward(activation.forward(lin1.forward(x))));
            return outputLayerNorm.forward(fed.add(x));
        }
    }

    /** A classifier of the first token. */
    private static final class SequenceHead extends ClassifierHead {
        private final Linear preClassifier;

        SequenceHead(DistilBertConfig config, WeightSource weights, int labels) {
            super(headDropout(config, config.seqClassifDropout()), config.linear(weights.in("classifier"), labels));
            this.preClassifier = register(config.linear(weights.in("pre_classifier"), config.dim()));
        }

        @Override
        protected Variable features(Variable states, Texts texts) {
            return super.features(
                    preClassifier.forward(texts.firstToken(states)).relu(), texts);
        }
    }
}
