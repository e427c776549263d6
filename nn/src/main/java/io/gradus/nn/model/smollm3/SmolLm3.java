package io.gradus.nn.model.smollm3;

import io.gradus.autograd.Variable;
import io.gradus.nn.Embedding;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.RmsNorm;
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
 * SmolLM3 (Bakouch et al. 2025): Llama in which some layers, by default every fourth, do not know the positions (Yang et al. 2025,
 * NoPE). Some layers may have a window.
 */
public final class SmolLm3 extends LanguageModel {
    private final SmolLm3Config config;
    private final RotaryTables rotary;
    private final Embedding embedTokens;
    private final List<DecoderLayer> layers;
    private final RmsNorm norm;
    private final @Nullable Linear lmHead;

    /** Builds the network with weights from a source. */
    public SmolLm3(SmolLm3Config config, WeightSource weights) {
        DecoderSettings settings = config.settings();
        WeightSource model = weights.in("model");
        this.config = config;
        this.rotary = new RotaryTables(weights.device(), settings.rope(), settings.maxPositionEmbeddings());
        this.embedTokens = register(settings.embedding(model.in("embed_tokens")));
        this.layers = IntStream.range(0, settings.numHiddenLayers())
                .mapToObj(i -> register(new DecoderLayer(model.in("layers").in(i), config, i)))
                .toList();
        this.norm = register(settings.norm(model.in("norm")));
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
    public SmolLm3Config config() {
        return config;
    }

    /** One layer: attention, then the feed-forward network. */
    private static final class DecoderLayer extends Module {
        private final boolean knowsPositions;
        private final RmsNorm inputLayernorm;
        private final GroupedQueryAttention selfAttn;
        private final RmsNorm postAttentionLayernorm;
        private final SwiGluMlp mlp;

        DecoderLayer(WeightSource weights, SmolLm3Config config, int layer) {
            DecoderSettings settings = config.settings();
            boolean bias = config.attentionBias();
            this.knowsPositions = !config.noRopeLayers().contains(layer);
            this.inputLayernorm = register(settings.norm(weights.in("input_layernorm")));
            this.selfAttn = register(new GroupedQueryAttention(
                    weights.in("self_attn"), settings, bias, bias, SelfAttention.of(settings, layer)));
            this.postAttentionLayernorm = register(settings.norm(weights.in("post_attention_layernorm")));
            this.mlp = register(new SwiGluMlp(weights.in("mlp"), settings, config.mlpBias()));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            x = x.add(selfAttn.forward(inputLayernorm.forward(x), input, knowsPositions ? rotary : null));
            return x.add(mlp.forward(postAttentionLayernorm.forward(x)));
        }
    }
}
