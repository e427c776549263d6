package io.gradus.nn.model.phi3;

import static io.gradus.nn.model.decoder.SelfAttention.heads;

import io.gradus.autograd.Variable;
import io.gradus.nn.Activation;
import io.gradus.nn.Dropout;
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
 * Phi-3 (Abdin et al. 2024): Llama in which one projection computes queries, keys and values, and one both inputs of the gated
 * feed-forward network. A part of each head may not know the position, and all layers may have a window.
 */
public final class Phi3 extends LanguageModel {
    private final Phi3Config config;
    private final RotaryTables rotary;
    private final Embedding embedTokens;
    private final List<DecoderLayer> layers;
    private final RmsNorm norm;
    private final @Nullable Linear lmHead;

    /** Builds the network with weights from a source. */
    public Phi3(Phi3Config config, WeightSource weights) {
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
    public long keysSameUpTo() {
        return config.settings().rope().sameUpTo();
    }

    @Override
    public Phi3Config config() {
        return config;
    }

    /** One layer: attention, then the feed-forward network. */
    private static final class DecoderLayer extends Module {
        private final RmsNorm inputLayernorm;
        private final Attention selfAttn;
        private final Dropout residAttnDropout;
        private final RmsNorm postAttentionLayernorm;
        private final Mlp mlp;
        private final Dropout residMlpDropout;

        DecoderLayer(WeightSource weights, Phi3Config config, int layer) {
            DecoderSettings settings = config.settings();
            double p = config.residPdrop();
            this.inputLayernorm = register(settings.norm(weights.in("input_layernorm")));
            this.selfAttn = register(new Attention(weights.in("self_attn"), settings, layer));
            this.residAttnDropout =
                    register("resid_attn_dropout", new Dropout(p, 0, DecoderSettings.dropoutLayer(layer, 1)));
            this.postAttentionLayernorm = register(settings.norm(weights.in("post_attention_layernorm")));
            this.mlp = register(new Mlp(weights.in("mlp"), settings));
            this.residMlpDropout =
                    register("resid_mlp_dropout", new Dropout(p, 0, DecoderSettings.dropoutLayer(layer, 2)));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            x = x.add(residAttnDropout.forward(selfAttn.forward(inputLayernorm.forward(x), input, rotary)));
            return x.add(residMlpDropout.forward(mlp.forward(postAttentionLayernorm.forward(x))));
        }
    }

    /** Grouped-query attention; one projection has rows for queries, keys and values, in this order. */
    private static final class Attention extends Module {
        private final long headDim;
        private final long queries;
        private final long keys;
        private final Linear qkvProj;
        private final Linear oProj;
        private final SelfAttention attention;

        Attention(WeightSource weights, DecoderSettings settings, int layer) {
            long hidden = settings.hiddenSize();
            this.headDim = settings.headDim();
            this.queries = settings.numAttentionHeads() * headDim;
            this.keys = settings.numKeyValueHeads() * headDim;
            Initializer normal = settings.initializer();
            this.qkvProj = register(new Linear(weights.in("qkv_proj"), hidden, queries + 2 * keys, false, normal));
            this.oProj = register(new Linear(weights.in("o_proj"), queries, hidden, false, normal));
            this.attention = register("attention", SelfAttention.of(settings, layer));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            List<Variable> qkv = qkvProj.forward(x).split(-1, queries, keys, keys);
            Variable q = rotary.rotate(heads(qkv.get(0), headDim), input.positions());
            Variable k = rotary.rotate(heads(qkv.get(1), headDim), input.positions());
            Variable v = heads(qkv.get(2), headDim);
            return oProj.forward(attention.forward(q, k, v, input));
        }
    }

    /** The gated feed-forward network; one projection has rows for the gate and for what it gates, in this order. */
    private static final class Mlp extends Module {
        private final long intermediate;
        private final Activation activation;
        private final Linear gateUpProj;
        private final Linear downProj;

        Mlp(WeightSource weights, DecoderSettings settings) {
            long hidden = settings.hiddenSize();
            this.intermediate = settings.intermediateSize();
            this.activation = settings.hiddenAct();
            Initializer normal = settings.initializer();
            this.gateUpProj = register(new Linear(weights.in("gate_up_proj"), hidden, 2 * intermediate, false, normal));
            this.downProj = register(new Linear(weights.in("down_proj"), intermediate, hidden, false, normal));
        }

        Variable forward(Variable x) {
            List<Variable> parts = gateUpProj.forward(x).split(-1, intermediate, intermediate);
            return downProj.forward(SwiGluMlp.gated(activation, parts.get(0), parts.get(1)));
        }
    }
}
