package io.gradus.nn.model.llama;

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
 * Llama (Touvron et al. 2023), Mistral or Qwen2: a stack of layers, each with grouped-query attention and a SwiGLU feed-forward network. An RMS
 * norm comes before each of the two and a residual connection goes around it.
 */
public final class Llama extends LanguageModel {
    private final LlamaConfig config;
    private final RotaryTables rotary;
    private final Embedding embedTokens;
    private final List<DecoderLayer> layers;
    private final RmsNorm norm;
    private final @Nullable Linear lmHead;

    /** Builds the network with weights from a source. */
    public Llama(LlamaConfig config, WeightSource weights) {
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
    public LlamaConfig config() {
        return config;
    }

    /** One layer: attention, then the feed-forward network. */
    private static final class DecoderLayer extends Module {
        private final RmsNorm inputLayernorm;
        private final GroupedQueryAttention selfAttn;
        private final RmsNorm postAttentionLayernorm;
        private final SwiGluMlp mlp;

        DecoderLayer(WeightSource weights, LlamaConfig config, int layer) {
            DecoderSettings settings = config.settings();
            this.inputLayernorm = register(settings.norm(weights.in("input_layernorm")));
            this.selfAttn = register(new GroupedQueryAttention(
                    weights.in("self_attn"),
                    settings,
                    config.hasInputBias(),
                    config.attentionBias(),
                    SelfAttention.of(settings, layer)));
            this.postAttentionLayernorm = register(settings.norm(weights.in("post_attention_layernorm")));
            this.mlp = register(new SwiGluMlp(weights.in("mlp"), settings, config.mlpBias()));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            x = x.add(selfAttn.forward(inputLayernorm.forward(x), input, rotary));
            return x.add(mlp.forward(postAttentionLayernorm.forward(x)));
        }
    }
}
