package io.gradus.nn.model.bert;

import static io.gradus.nn.model.decoder.SelfAttention.heads;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.nn.Activation;
import io.gradus.nn.AttentionDropout;
import io.gradus.nn.Dropout;
import io.gradus.nn.Embedding;
import io.gradus.nn.LayerNorm;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.SelfAttention;
import io.gradus.nn.model.encoder.Encoder;
import io.gradus.nn.model.encoder.EncoderHead;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The embeddings and the layers of BERT (Devlin et al. 2019), which are those of RoBERTa too. The two differ in what follows: see
 * {@link Bert} and {@link Roberta}.
 *
 * <p>The embedding of a token is the sum of those of its id, its position and its type, and a layer norm of that. A layer is
 * attention and a feed-forward network; a residual connection goes around each of the two, and a layer norm comes after it.
 */
public abstract sealed class BertNetwork extends Encoder permits Bert, Roberta {
    private final BertConfig config;
    private final Embeddings embeddings;
    private final List<Layer> layer;
    private final @Nullable Linear pooler;

    /** A bare network has names without a prefix, and a pooler if the source has one. */
    BertNetwork(BertConfig config, WeightSource weights, Head head) {
        super(head);
        WeightSource network =
                head instanceof Head.None ? weights : weights.in(config.type().network());
        WeightSource pooling = network.ofHead().in("pooler").in("dense");
        boolean pools = head instanceof Head.None
                ? pooling.has("weight")
                : config.type() == BertType.BERT && head instanceof Head.SequenceClassification;
        this.config = config;
        this.embeddings = register(new Embeddings(network.in("embeddings"), config));
        this.layer = IntStream.range(0, config.numHiddenLayers())
                .mapToObj(i ->
                        register(new Layer(network.in("encoder").in("layer").in(i), config, i)))
                .toList();
        this.pooler = pools ? register(config.dense(pooling)) : null;
    }

    @Override
    protected final Variable lastHiddenState(Input input) {
        Variable x = embeddings.forward(input);
        for (Layer each : layer) {
            x = applyLayer(states -> each.forward(states, input), x);
        }
        return x;
    }

    /**
     * The pooled output: {@code tanh(W·h + b)} of the first token's hidden state h.
     *
     * @param states {@code [B, T, hidden_size]}, the {@link #hiddenStates} of a bare network
     * @return {@code [B, hidden_size]}
     * @throws IllegalStateException if this network has no pooler
     */
    public final Variable pooled(Variable states) {
        return pool(EncoderHead.firstToken(states));
    }

    /** The pooled output by the hidden states of first tokens, {@code [B, hidden_size]}. */
    final Variable pool(Variable firstTokens) {
        if (pooler == null) {
            throw new IllegalStateException(
                    config.type().modelType() + ": the network has no pooler; load a folder with pooler.dense.weight");
        }
        return pooler.forward(firstTokens).tanh();
    }

    /** The embedding table, {@code [vocab_size, hidden_size]}. */
    final Variable wordEmbeddings() {
        return embeddings.wordEmbeddings.weight();
    }

    @Override
    public final BertConfig config() {
        return config;
    }

    /** The sum of the embeddings of ids, positions and types. */
    private static final class Embeddings extends Module {
        private final Embedding wordEmbeddings;
        private final Embedding positionEmbeddings;
        private final Embedding tokenTypeEmbeddings;
        private final LayerNorm layerNorm;
        private final Dropout dropout;
        private final int first;

        Embeddings(WeightSource weights, BertConfig config) {
            long hidden = config.hiddenSize();
            var normal = config.initializer();
            this.wordEmbeddings = register(new Embedding(
                    weights.in("word_embeddings"), config.vocabSize(), hidden, normal, config.padTokenId()));
            this.positionEmbeddings =
                    register(new Embedding(weights.in("position_embeddings"), config.positions(), hidden, normal));
            this.tokenTypeEmbeddings = register(
                    new Embedding(weights.in("token_type_embeddings"), config.typeVocabSize(), hidden, normal));
            this.layerNorm = register(config.norm(weights.in("LayerNorm")));
            this.dropout = register("dropout", new Dropout(config.hiddenDropoutProb(), 0, 0));
            this.first = config.firstPosition();
        }

        Variable forward(Input input) {
            Variable places = positionEmbeddings.weight();
            Variable positions = places.slice(0, first, places.shape().get(0)).embedding(input.positions());
            Variable types = input.tokenTypeIds() == null
                    ? tokenTypeEmbeddings.weight().slice(0, 0, 1)
                    : tokenTypeEmbeddings.forward(input.tokenTypeIds());
            Variable sum = wordEmbeddings.forward(input.ids()).add(types).add(positions);
            return dropout.forward(layerNorm.forward(sum));
        }
    }

    /** One layer: attention, then the feed-forward network. */
    private static final class Layer extends Module {
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final SelfAttention attention;
        private final Sublayer attentionOutput;
        private final Activation activation;
        private final Linear intermediate;
        private final Sublayer output;
        private final long headDim;

        Layer(WeightSource weights, BertConfig config, int layer) {
            WeightSource self = weights.in("attention").in("self");
            double p = config.attentionProbsDropoutProb();
            this.headDim = config.headDim();
            this.query = register(config.dense(self.in("query")));
            this.key = register(config.dense(self.in("key")));
            this.value = register(config.dense(self.in("value")));
            this.attention = register(
                    "attention",
                    new SelfAttention(
                            layer,
                            AttentionOptions.bidirectional(headDim),
                            p == 0 ? null : new AttentionDropout(p, DecoderSettings.dropoutLayer(layer, 0))));
            this.attentionOutput = register(new Sublayer(
                    weights.in("attention").in("output"),
                    config,
                    config.hiddenSize(),
                    DecoderSettings.dropoutLayer(layer, 1)));
            this.activation = config.hiddenAct();
            this.intermediate =
                    register(config.linear(weights.in("intermediate").in("dense"), config.intermediateSize()));
            this.output = register(new Sublayer(
                    weights.in("output"), config, config.intermediateSize(), DecoderSettings.dropoutLayer(layer, 2)));
        }

        Variable forward(Variable x, Input input) {
            Variable q = heads(query.forward(x), headDim);
            Variable k = heads(key.forward(x), headDim);
            Variable v = heads(value.forward(x), headDim);
            Variable attended = attentionOutput.forward(attention.forward(q, k, v, input), x);
            return output.forward(activation.forward(intermediate.forward(attended)), attended);
        }
    }

    /** The end of both halves of a layer: a projection, the residual connection, and the norm after it. */
    private static final class Sublayer extends Module {
        private final Linear dense;
        private final Dropout dropout;
        private final LayerNorm layerNorm;

        Sublayer(WeightSource weights, BertConfig config, int in, int dropoutLayer) {
            this.dense = register(new Linear(weights.in("dense"), in, config.hiddenSize(), true, config.initializer()));
            this.dropout = register("dropout", new Dropout(config.hiddenDropoutProb(), 0, dropoutLayer));
            this.layerNorm = register(config.norm(weights.in("LayerNorm")));
        }

        Variable forward(Variable x, Variable residual) {
            return layerNorm.forward(dropout.forward(dense.forward(x)).add(residual));
        }
    }
}
