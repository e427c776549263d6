package io.gradus.nn.model.llama;

import io.gradus.autograd.Variable;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.RmsNorm;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
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
        Initializer normal = Initializer.normal(config.initializerRange());
        WeightSource model = weights.in("model");
        this.config = config;
        this.rotary = new RotaryTables(weights.device(), config);
        this.embedTokens = register(new Embedding(
                model.in("embed_tokens"), config.vocabSize(), config.hiddenSize(), normal, config.padTokenId()));
        this.layers = IntStream.range(0, config.numHiddenLayers())
                .mapToObj(i -> register(new DecoderLayer(model.in("layers").in(i), config, i)))
                .toList();
        this.norm = register(new RmsNorm(model.in("norm"), config.hiddenSize(), config.rmsNormEps()));
        this.lmHead = config.tieWordEmbeddings()
                ? null
                : register(new Linear(weights.in("lm_head"), config.hiddenSize(), config.vocabSize(), false, normal));
    }

    @Override
    public Variable hiddenStates(Input input) {
        RotaryTable table = rotary.covering(input);
        Variable x = embedTokens.forward(input.ids());
        Input windowed = config.slidingWindow().limit(input);
        for (int i = 0; i < layers.size(); i++) {
            DecoderLayer layer = layers.get(i);
            Input seen = config.slidingWindow().isOf(i) ? windowed : input;
            x = applyLayer(h -> layer.forward(h, seen, table), x);
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
            this.inputLayernorm =
                    register(new RmsNorm(weights.in("input_layernorm"), config.hiddenSize(), config.rmsNormEps()));
            this.selfAttn = register(new GroupedQueryAttention(weights.in("self_attn"), config, layer));
            this.postAttentionLayernorm = register(
                    new RmsNorm(weights.in("post_attention_layernorm"), config.hiddenSize(), config.rmsNormEps()));
            this.mlp = register(new SwiGluMlp(weights.in("mlp"), config));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            x = x.add(selfAttn.forward(inputLayernorm.forward(x), input, rotary));
            return x.add(mlp.forward(postAttentionLayernorm.forward(x)));
        }
    }
}
