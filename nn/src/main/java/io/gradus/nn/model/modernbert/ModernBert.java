package io.gradus.nn.model.modernbert;

import static io.gradus.nn.model.decoder.SelfAttention.heads;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
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
import io.gradus.nn.model.decoder.RotaryTable;
import io.gradus.nn.model.decoder.RotaryTables;
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
 * ModernBERT (Warner et al. 2024): rotary positions, gated feed-forward networks, and layers that attend to near tokens only. A
 * layer is attention and a feed-forward network; a layer norm comes before each of the two and a residual connection goes around it.
 *
 * <p>Global layers attend to all tokens; local ones to {@code local_attention / 2} on each side, in time proportional to that. The
 * two have different bases of the rotary frequencies.
 */
public final class ModernBert extends Encoder {
    private final ModernBertConfig config;
    private final RotaryTables globalRotary;
    private final RotaryTables localRotary;
    private final Embeddings embeddings;
    private final List<EncoderLayer> layers;
    private final LayerNorm finalNorm;
    private final @Nullable EncoderHead output;

    /** Builds the network with weights from a source. A bare network has names without a prefix. */
    public ModernBert(ModernBertConfig config, WeightSource weights, Head head) {
        super(head);
        WeightSource network = head instanceof Head.None ? weights : weights.in(ModernBertConfig.NETWORK);
        WeightSource ofHead = weights.ofHead();
        int context = config.maxPositionEmbeddings();
        this.config = config;
        this.globalRotary = new RotaryTables(weights.device(), config.globalRope(), context);
        this.localRotary = new RotaryTables(weights.device(), config.localRope(), context);
        this.embeddings = register(new Embeddings(network.in("embeddings"), config));
        this.layers = IntStream.range(0, config.numHiddenLayers())
                .mapToObj(i -> register(new EncoderLayer(network.in("layers").in(i), config, i)))
                .toList();
        this.finalNorm = register(config.norm(network.in("final_norm")));
        this.output = switch (head) {
            case Head.None _ -> null;
            case Head.LanguageModeling _ -> register(masked(ofHead));
            case Head.SequenceClassification(Labels labels) ->
                register(new PooledHead(config, ofHead, labels.size(), true));
            case Head.TokenClassification(Labels labels) ->
                register(new PooledHead(config, ofHead, labels.size(), false));
        };
    }

    private MaskedLanguageHead masked(WeightSource weights) {
        WeightSource decoder = weights.in("decoder");
        Variable weight = config.tieWordEmbeddings()
                ? embeddings.tokEmbeddings.weight()
                : decoder.parameter(
                        "weight", Shape.of(config.vocabSize(), config.hiddenSize()), config.residualInitializer());
        Variable bias = config.decoderBias()
                ? decoder.parameter("bias", Shape.of(config.vocabSize()), Initializer.zeros())
                : null;
        WeightSource head = weights.in("head");
        return new MaskedLanguageHead(
                headDense(config, head), config.classifier().activation(), config.norm(head.in("norm")), weight, bias);
    }

    private static Linear headDense(ModernBertConfig config, WeightSource head) {
        int hidden = config.hiddenSize();
        return new Linear(head.in("dense"), hidden, hidden, config.classifier().bias(), config.residualInitializer());
    }

    @Override
    protected Variable lastHiddenState(Input input) {
        RotaryTable global = globalRotary.covering(input);
        RotaryTable local = localRotary.covering(input);
        Variable x = embeddings.forward(input.ids());
        for (int i = 0; i < layers.size(); i++) {
            EncoderLayer layer = layers.get(i);
            RotaryTable rotary = config.window().isOf(i) ? local : global;
            x = applyLayer(states -> layer.forward(states, input, rotary), x);
        }
        return finalNorm.forward(x);
    }

    @Override
    protected @Nullable EncoderHead output() {
        return output;
    }

    @Override
    public ModernBertConfig config() {
        return config;
    }

    /** The embeddings of ids. */
    private static final class Embeddings extends Module {
        private final Embedding tokEmbeddings;
        private final LayerNorm norm;
        private final Dropout drop;

        Embeddings(WeightSource weights, ModernBertConfig config) {
            this.tokEmbeddings = register(new Embedding(
                    weights.in("tok_embeddings"),
                    config.vocabSize(),
                    config.hiddenSize(),
                    config.initializer(),
                    config.padTokenId()));
            this.norm = register(config.norm(weights.in("norm")));
            this.drop = register("drop", new Dropout(config.embeddingDropout(), 0, 0));
        }

        Variable forward(Tensor ids) {
            return drop.forward(norm.forward(tokEmbeddings.forward(ids)));
        }
    }

    /** One layer. The first has no norm before attention, because the embeddings end in one. */
    private static final class EncoderLayer extends Module {
        private final @Nullable LayerNorm attnNorm;
        private final Attention attn;
        private final LayerNorm mlpNorm;
        private final Mlp mlp;

        EncoderLayer(WeightSource weights, ModernBertConfig config, int layer) {
            this.attnNorm = layer == 0 ? null : register(config.norm(weights.in("attn_norm")));
            this.attn = register(new Attention(weights.in("attn"), config, layer));
            this.mlpNorm = register(config.norm(weights.in("mlp_norm")));
            this.mlp = register(new Mlp(weights.in("mlp"), config, layer));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            x = x.add(attn.forward(attnNorm == null ? x : attnNorm.forward(x), input, rotary));
            return x.add(mlp.forward(mlpNorm.forward(x)));
        }
    }

    /** Multi-head attention; one projection computes queries, keys and values. */
    private static final class Attention extends Module {
        private final long headDim;
        private final Linear wqkv;
        private final SelfAttention attention;
        private final Linear wo;
        private final Dropout outDrop;

        Attention(WeightSource weights, ModernBertConfig config, int layer) {
            int hidden = config.hiddenSize();
            boolean bias = config.attentionBias();
            double p = config.attentionDropout();
            this.headDim = config.headDim();
            this.wqkv = register(new Linear(weights.in("Wqkv"), hidden, 3L * hidden, bias, config.initializer()));
            this.attention = register(
                    "attention",
                    new SelfAttention(
                            layer,
                            AttentionOptions.bidirectional(headDim)
                                    .withWindow(config.window().sizeOf(layer)),
                            p == 0 ? null : new AttentionDropout(p, DecoderSettings.dropoutLayer(layer, 0))));
            this.wo = register(new Linear(weights.in("Wo"), hidden, hidden, bias, config.residualInitializer()));
            this.outDrop = register("out_drop", new Dropout(p, 0, DecoderSettings.dropoutLayer(layer, 1)));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            long hidden = x.shape().last();
            List<Variable> qkv = wqkv.forward(x).split(-1, hidden, hidden, hidden);
            Variable q = rotary.rotate(heads(qkv.get(0), headDim), input.positions());
            Variable k = rotary.rotate(heads(qkv.get(1), headDim), input.positions());
            Variable v = heads(qkv.get(2), headDim);
            return outDrop.forward(wo.forward(attention.forward(q, k, v, input)));
        }
    }

    /** The feed-forward network, a gated linear unit with GELU (Shazeer 2020): {@code Wo·(gelu(x₁) ⊙ x₂)}, where Wi computes both. */
    private static final class Mlp extends Module {
        private final Activation activation;
        private final Linear wi;
        private final Dropout drop;
        private final Linear wo;
        private final long intermediate;

        Mlp(WeightSource weights, ModernBertConfig config, int layer) {
            int hidden = config.hiddenSize();
            boolean bias = config.mlpBias();
            this.intermediate = config.intermediateSize();
            this.activation = config.hiddenActivation();
            this.wi = register(new Linear(weights.in("Wi"), hidden, 2 * intermediate, bias, config.initializer()));
            this.drop = register("drop", new Dropout(config.mlpDropout(), 0, DecoderSettings.dropoutLayer(layer, 2)));
            this.wo = register(new Linear(weights.in("Wo"), intermediate, hidden, bias, config.residualInitializer()));
        }

        Variable forward(Variable x) {
            List<Variable> parts = wi.forward(x).split(-1, intermediate, intermediate);
            Variable gated = activation.forward(parts.getFirst()).multiply(parts.getLast());
            return wo.forward(drop.forward(gated));
        }
    }

    /** A classifier of sequences or tokens, after a dense layer with an activation and a norm. */
    private static final class PooledHead extends ClassifierHead {
        private final ModernBertConfig config;
        private final boolean ofSequence;
        private final Linear dense;
        private final LayerNorm norm;

        PooledHead(ModernBertConfig config, WeightSource weights, int labels, boolean ofSequence) {
            super(
                    new Dropout(
                            config.classifier().dropout(),
                            0,
                            DecoderSettings.dropoutLayer(config.numHiddenLayers(), 0)),
                    new Linear(
                            weights.in("classifier"),
                            config.hiddenSize(),
                            labels,
                            true,
                            Initializer.normal(1 / Math.sqrt(config.hiddenSize()))));
            this.config = config;
            this.ofSequence = ofSequence;
            this.dense = register(headDense(config, weights.in("head")));
            this.norm = register(config.norm(weights.in("head").in("norm")));
        }

        @Override
        protected Variable features(Variable states, Texts texts) {
            Variable read = ofSequence ? pooled(states, texts) : states;
            return super.features(norm.forward(config.classifier().activation().forward(dense.forward(read))), texts);
        }

        private Variable pooled(Variable states, Texts texts) {
            return switch (config.classifier().pooling()) {
                case CLS -> texts.firstToken(states);
                case MEAN -> texts.mean(states);
            };
        }
    }
}
