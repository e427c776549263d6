package io.gradus.nn.model.gemma;

import io.gradus.autograd.Variable;
import io.gradus.core.AttentionOptions;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.GroupedQueryAttention;
import io.gradus.nn.model.decoder.RotaryTable;
import io.gradus.nn.model.decoder.RotaryTables;
import io.gradus.nn.model.decoder.SelfAttention;
import io.gradus.nn.model.decoder.SwiGluMlp;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Gemma 2 (Gemma Team 2024): grouped-query attention and a gated feed-forward network, each between two RMS norms whose scale is 1
 * plus a weight. Every second layer has a window. Scores of attention and logits are capped with a hyperbolic tangent.
 */
public final class Gemma2 extends LanguageModel {
    private final Gemma2Config config;
    private final RotaryTables rotary;
    private final GemmaEmbedding embedTokens;
    private final List<DecoderLayer> layers;
    private final GemmaRmsNorm norm;
    private final @Nullable Linear lmHead;

    /** Builds the network with weights from a source. */
    public Gemma2(Gemma2Config config, WeightSource weights) {
        DecoderSettings settings = config.settings();
        WeightSource model = weights.in("model");
        this.config = config;
        this.rotary = new RotaryTables(weights.device(), settings.rope(), settings.maxPositionEmbeddings());
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
        Variable x = embedTokens.forward(input.ids());
        for (DecoderLayer layer : layers) {
            x = applyLayer(h -> layer.forward(h, input, table), x);
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
    public Gemma2Config config() {
        return config;
    }

    /** One layer: attention, then the feed-forward network, each between two norms. */
    private static final class DecoderLayer extends Module {
        private final GemmaRmsNorm inputLayernorm;
        private final GroupedQueryAttention selfAttn;
        private final GemmaRmsNorm postAttentionLayernorm;
        private final GemmaRmsNorm preFeedforwardLayernorm;
        private final SwiGluMlp mlp;
        private final GemmaRmsNorm postFeedforwardLayernorm;

        DecoderLayer(WeightSource weights, Gemma2Config config, int layer) {
            DecoderSettings settings = config.settings();
            this.inputLayernorm = register(norm(weights.in("input_layernorm"), settings));
            boolean bias = config.attentionBias();
            AttentionOptions options = new AttentionOptions(true, null, 1 / Math.sqrt(config.queryPreAttnScalar()))
                    .withSoftcap(config.attnLogitSoftcapping());
            this.selfAttn = register(new GroupedQueryAttention(
                    weights.in("self_attn"), settings, bias, bias, SelfAttention.of(settings, layer, options)));
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
}
