package io.gradus.nn.model.gemma;

import static io.gradus.nn.model.decoder.SelfAttention.heads;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.RotaryTable;
import io.gradus.nn.model.decoder.RotaryTables;
import io.gradus.nn.model.decoder.SelfAttention;
import io.gradus.nn.model.decoder.SlidingWindow;
import io.gradus.nn.model.decoder.SwiGluMlp;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Gemma 3 for text (Gemma Team 2025): grouped-query attention and a gated feed-forward network, each between two RMS norms whose scale
 * is 1 plus a weight. Each query and key is normalized too, before its rotation. By default five layers with a window follow
 * one without; the two kinds have rotary positions of their own.
 */
public final class Gemma3 extends LanguageModel {
    private final Gemma3Config config;
    private final RotaryTables rotary;
    private final RotaryTables localRotary;
    private final GemmaEmbedding embedTokens;
    private final List<DecoderLayer> layers;
    private final GemmaRmsNorm norm;
    private final @Nullable Linear lmHead;

    /** Builds the network with weights from a source. */
    public Gemma3(Gemma3Config config, WeightSource weights) {
        DecoderSettings settings = config.settings();
        WeightSource model = weights.in("model");
        this.config = config;
        this.rotary = new RotaryTables(weights.device(), settings.rope(), settings.maxPositionEmbeddings());
        this.localRotary = new RotaryTables(weights.device(), config.localRope(), settings.maxPositionEmbeddings());
        this.embedTokens = register(new GemmaEmbedding(model.in("embed_tokens"), settings));
        this.layers = IntStream.range(0, settings.numHiddenLayers())
                .mapToObj(i -> register(new DecoderLayer(model.in("layers").in(i), config, i)))
                .toList();
        this.norm = register(new GemmaRmsNorm(model.in("norm"), settings.hiddenSize(), settings.normEps()));
        this.lmHead = settings.tieWordEmbeddings() ? null : register(settings.lmHead(weights.in("lm_head")));
    }

    @Override
    public Variable hiddenStates(Input input) {
        RotaryTable table = rotary.covering(input);
        RotaryTable local = localRotary.covering(input);
        SlidingWindow window = config.settings().slidingWindow();
        Variable x = embedTokens.forward(input.ids());
        for (int i = 0; i < layers.size(); i++) {
            DecoderLayer layer = layers.get(i);
            RotaryTable own = window.isOf(i) ? local : table;
            x = applyLayer(h -> layer.forward(h, input, own), x);
        }
        return norm.forward(x);
    }

    @Override
    public Variable lmHeadWeight() {
        return lmHead == null ? embedTokens.weight() : lmHead.weight();
    }

    @Override
    protected double logitSoftcap() {
        return config.finalLogitSoftcapping();
    }

    @Override
    public Gemma3Config config() {
        return config;
    }

    /** One layer: attention, then the feed-forward network, each between two norms. */
    private static final class DecoderLayer extends Module {
        private final GemmaRmsNorm inputLayernorm;
        private final Attention selfAttn;
        private final GemmaRmsNorm postAttentionLayernorm;
        private final GemmaRmsNorm preFeedforwardLayernorm;
        private final SwiGluMlp mlp;
        private final GemmaRmsNorm postFeedforwardLayernorm;

        DecoderLayer(WeightSource weights, Gemma3Config config, int layer) {
            DecoderSettings settings = config.settings();
            this.inputLayernorm = register(norm(weights.in("input_layernorm"), settings));
            this.selfAttn = register(new Attention(weights.in("self_attn"), config, layer));
            this.postAttentionLayernorm = register(norm(weights.in("post_attention_layernorm"), settings));
            this.preFeedforwardLayernorm = register(norm(weights.in("pre_feedforward_layernorm"), settings));
            this.mlp = register(new SwiGluMlp(weights.in("mlp"), settings, false));
            this.postFeedforwardLayernorm = register(norm(weights.in("post_feedforward_layernorm"), settings));
        }

        private static GemmaRmsNorm norm(WeightSource weights, DecoderSettings settings) {
            return new GemmaRmsNorm(weights, settings.hiddenSize(), settings.normEps());
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            Variable attended = selfAttn.forward(inputLayernorm.forward(x), input, rotary);
            x = x.add(postAttentionLayernorm.forward(attended));
            Variable fed = mlp.forward(preFeedforwardLayernorm.forward(x));
            return x.add(postFeedforwardLayernorm.forward(fed));
        }
    }

    /** Grouped-query attention with norms of the D elements of each query and key. */
    private static final class Attention extends Module {
        private final long headDim;
        private final Linear qProj;
        private final Linear kProj;
        private final Linear vProj;
        private final Linear oProj;
        private final GemmaRmsNorm qNorm;
        private final GemmaRmsNorm kNorm;
        private final SelfAttention attention;

        Attention(WeightSource weights, Gemma3Config config, int layer) {
            DecoderSettings settings = config.settings();
            this.headDim = settings.headDim();
            long hidden = settings.hiddenSize();
            long queries = settings.numAttentionHeads() * headDim;
            long keys = settings.numKeyValueHeads() * headDim;
            boolean bias = config.attentionBias();
            Initializer normal = settings.initializer();
            AttentionOptions options = new AttentionOptions(true, null, 1 / Math.sqrt(config.queryPreAttnScalar()));
            this.qProj = register(new Linear(weights.in("q_proj"), hidden, queries, bias, normal));
            this.kProj = register(new Linear(weights.in("k_proj"), hidden, keys, bias, normal));
            this.vProj = register(new Linear(weights.in("v_proj"), hidden, keys, bias, normal));
            this.oProj = register(new Linear(weights.in("o_proj"), queries, hidden, bias, normal));
            this.qNorm = register(new GemmaRmsNorm(weights.in("q_norm"), headDim, settings.normEps()));
            this.kNorm = register(new GemmaRmsNorm(weights.in("k_norm"), headDim, settings.normEps()));
            this.attention = register("attention", SelfAttention.of(settings, layer, options));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            Variable q = rotary.rotate(qNorm.forward(heads(qProj.forward(x), headDim)), input.positions());
            Variable k = rotary.rotate(kNorm.forward(heads(kProj.forward(x), headDim)), input.positions());
            Variable v = heads(vProj.forward(x), headDim);
            return oProj.forward(attention.forward(q, k, v, input));
        }
    }
}
