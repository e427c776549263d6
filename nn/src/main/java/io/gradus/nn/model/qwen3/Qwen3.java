package io.gradus.nn.model.qwen3;

import static io.gradus.nn.model.decoder.SelfAttention.heads;

import io.gradus.autograd.Variable;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.RmsNorm;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.RotaryTable;
import io.gradus.nn.model.decoder.RotaryTables;
import io.gradus.nn.model.decoder.SelfAttention;
import io.gradus.nn.model.decoder.SwiGluMlp;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Qwen3 (Yang et al. 2025): Llama in which each query and key is normalized before its rotation. Some layers may have a window.
 */
public final class Qwen3 extends LanguageModel {
    private final Qwen3Config config;
    private final RotaryTables rotary;
    private final Embedding embedTokens;
    private final List<DecoderLayer> layers;
    private final RmsNorm norm;
    private final @Nullable Linear lmHead;

    /** Builds the network with weights from a source. */
    public Qwen3(Qwen3Config config, WeightSource weights) {
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
    public Qwen3Config config() {
        return config;
    }

    /** One layer: attention, then the feed-forward network. */
    private static final class DecoderLayer extends Module {
        private final RmsNorm inputLayernorm;
        private final Attention selfAttn;
        private final RmsNorm postAttentionLayernorm;
        private final SwiGluMlp mlp;

        DecoderLayer(WeightSource weights, Qwen3Config config, int layer) {
            DecoderSettings settings = config.settings();
            this.inputLayernorm = register(settings.norm(weights.in("input_layernorm")));
            this.selfAttn = register(new Attention(weights.in("self_attn"), config, layer));
            this.postAttentionLayernorm = register(settings.norm(weights.in("post_attention_layernorm")));
            this.mlp = register(new SwiGluMlp(weights.in("mlp"), settings, false));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            x = x.add(selfAttn.forward(inputLayernorm.forward(x), input, rotary));
            return x.add(mlp.forward(postAttentionLayernorm.forward(x)));
        }
    }

    /** Grouped-query attention with norms of the D elements of each query and key. */
    private static final class Attention extends Module {
        private final long headDim;
        private final Linear qProj;
        private final Linear kProj;
        private final Linear vProj;
        private final Linear oProj;
        private final RmsNorm qNorm;
        private final RmsNorm kNorm;
        private final SelfAttention attention;

        Attention(WeightSource weights, Qwen3Config config, int layer) {
            DecoderSettings settings = config.settings();
            this.headDim = settings.headDim();
            long hidden = settings.hiddenSize();
            long queries = settings.numAttentionHeads() * headDim;
            long keys = settings.numKeyValueHeads() * headDim;
            boolean bias = config.attentionBias();
            Initializer normal = settings.initializer();
            this.qProj = register(new Linear(weights.in("q_proj"), hidden, queries, bias, normal));
            this.kProj = register(new Linear(weights.in("k_proj"), hidden, keys, bias, normal));
            this.vProj = register(new Linear(weights.in("v_proj"), hidden, keys, bias, normal));
            this.oProj = register(new Linear(weights.in("o_proj"), queries, hidden, bias, normal));
            this.qNorm = register(new RmsNorm(weights.in("q_norm"), headDim, settings.normEps()));
            this.kNorm = register(new RmsNorm(weights.in("k_norm"), headDim, settings.normEps()));
            this.attention = register("attention", SelfAttention.of(settings, layer));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            Variable q = rotary.rotate(qNorm.forward(heads(qProj.forward(x), headDim)), input.positions());
            Variable k = rotary.rotate(kNorm.forward(heads(kProj.forward(x), headDim)), input.positions());
            Variable v = heads(vProj.forward(x), headDim);
            return oProj.forward(attention.forward(q, k, v, input));
        }
    }
}
