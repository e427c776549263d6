package io.gradus.nn.model.gptneox;

import static io.gradus.nn.model.decoder.SelfAttention.heads;

import io.gradus.autograd.Variable;
import io.gradus.nn.Activation;
import io.gradus.nn.Dropout;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.LayerNorm;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.decoder.DecoderSettings;
import io.gradus.nn.model.decoder.RotaryTable;
import io.gradus.nn.model.decoder.RotaryTables;
import io.gradus.nn.model.decoder.SelfAttention;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * GPT-NeoX (Black et al. 2022), the network of Pythia: a stack of layers, each with multi-head attention and a feed-forward network
 * that both read the input of the layer through a layer norm, and are added to it together. Or the second reads the sum of
 * the first and the input, as in GPT-2. A part of each head knows the position.
 */
public final class GptNeoX extends LanguageModel {
    private final GptNeoXConfig config;
    private final RotaryTables rotary;
    private final Embedding embedIn;
    private final Dropout embDropout;
    private final List<NeoXLayer> layers;
    private final LayerNorm finalLayerNorm;
    private final @Nullable Linear embedOut;

    /** Builds the network with weights from a source. */
    public GptNeoX(GptNeoXConfig config, WeightSource weights) {
        DecoderSettings settings = config.settings();
        WeightSource model = weights.in("gpt_neox");
        this.config = config;
        this.rotary = new RotaryTables(weights.device(), settings.rope(), settings.maxPositionEmbeddings());
        this.embedIn = register(settings.embedding(model.in("embed_in")));
        this.embDropout = register("emb_dropout", new Dropout(config.hiddenDropout(), 0, 0));
        this.layers = IntStream.range(0, settings.numHiddenLayers())
                .mapToObj(i -> register(new NeoXLayer(model.in("layers").in(i), config, i)))
                .toList();
        this.finalLayerNorm =
                register(new LayerNorm(model.in("final_layer_norm"), settings.hiddenSize(), settings.normEps()));
        this.embedOut = settings.tieWordEmbeddings() ? null : register(settings.lmHead(weights.in("embed_out")));
    }

    @Override
    public Variable hiddenStates(Input input) {
        RotaryTable table = rotary.covering(input);
        Variable x = embDropout.forward(embedIn.forward(input.ids()));
        for (NeoXLayer layer : layers) {
            x = applyLayer(h -> layer.forward(h, input, table), x);
        }
        return finalLayerNorm.forward(x);
    }

    @Override
    public Variable lmHeadWeight() {
        return embedOut == null ? embedIn.weight() : embedOut.weight();
    }

    @Override
    public GptNeoXConfig config() {
        return config;
    }

    /** One layer: attention and the feed-forward network, side by side or one after the other. */
    private static final class NeoXLayer extends Module {
        private final boolean parallel;
        private final LayerNorm inputLayernorm;
        private final Attention attention;
        private final Dropout postAttentionDropout;
        private final LayerNorm postAttentionLayernorm;
        private final Mlp mlp;
        private final Dropout postMlpDropout;

        NeoXLayer(WeightSource weights, GptNeoXConfig config, int layer) {
            DecoderSettings settings = config.settings();
            double p = config.hiddenDropout();
            long hidden = settings.hiddenSize();
            double eps = settings.normEps();
            this.parallel = config.useParallelResidual();
            this.inputLayernorm = register(new LayerNorm(weights.in("input_layernorm"), hidden, eps));
            this.attention = register(new Attention(weights.in("attention"), config, layer));
            this.postAttentionDropout =
                    register("post_attention_dropout", new Dropout(p, 0, DecoderSettings.dropoutLayer(layer, 1)));
            this.postAttentionLayernorm = register(new LayerNorm(weights.in("post_attention_layernorm"), hidden, eps));
            this.mlp = register(new Mlp(weights.in("mlp"), settings));
            this.postMlpDropout =
                    register("post_mlp_dropout", new Dropout(p, 0, DecoderSettings.dropoutLayer(layer, 2)));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            Variable attended =
                    postAttentionDropout.forward(attention.forward(inputLayernorm.forward(x), input, rotary));
            Variable sum = x.add(attended);
            Variable fed = mlp.forward(postAttentionLayernorm.forward(parallel ? x : sum));
            return sum.add(postMlpDropout.forward(fed));
        }
    }

    /** Multi-head attention; one projection has rows for query, key and value of the first head, of the second, and so on. */
    private static final class Attention extends Module {
        private final long headDim;
        private final Linear queryKeyValue;
        private final Linear dense;
        private final SelfAttention attention;

        Attention(WeightSource weights, GptNeoXConfig config, int layer) {
            DecoderSettings settings = config.settings();
            long hidden = settings.hiddenSize();
            boolean bias = config.attentionBias();
            this.headDim = settings.headDim();
            Initializer normal = settings.initializer();
            this.queryKeyValue = register(new Linear(weights.in("query_key_value"), hidden, 3 * hidden, bias, normal));
            this.dense = register(new Linear(weights.in("dense"), hidden, hidden, bias, normal));
            this.attention = register("attention", SelfAttention.of(settings, layer));
        }

        Variable forward(Variable x, Input input, RotaryTable rotary) {
            List<Variable> qkv = heads(queryKeyValue.forward(x), 3 * headDim).split(-1, headDim, headDim, headDim);
            Variable q = rotary.rotate(qkv.get(0), input.positions());
            Variable k = rotary.rotate(qkv.get(1), input.positions());
            return dense.forward(attention.forward(q, k, qkv.get(2), input));
        }
    }

    /** The feed-forward network. */
    private static final class Mlp extends Module {
        private final Activation activation;
        private final Linear denseHTo4h;
        private final Linear dense4hToH;

        Mlp(WeightSource weights, DecoderSettings settings) {
            long hidden = settings.hiddenSize();
            long intermediate = settings.intermediateSize();
            Initializer normal = settings.initializer();
            this.activation = settings.hiddenAct();
            this.denseHTo4h = register(new Linear(weights.in("dense_h_to_4h"), hidden, intermediate, true, normal));
            this.dense4hToH = register(new Linear(weights.in("dense_4h_to_h"), intermediate, hidden, true, normal));
        }

        Variable forward(Variable x) {
            return dense4hToH.forward(activation.forward(denseHTo4h.forward(x)));
        }
    }
}
