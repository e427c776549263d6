package io.gradus.nn.model.llama;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.RmsNorm;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.llama.GroupedQueryAttention.Context;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Llama (Touvron et al. 2023) and its kin: a stack of blocks, each of attention and a gated feed-forward network with a norm
 * before and a residual connection around both.
 */
public final class Llama extends LanguageModel {
    private final LlamaConfig config;
    private final Device device;
    private final RotaryTable rotary;
    private final Embedding embedding;
    private final List<Block> blocks;
    private final RmsNorm norm;
    private final @Nullable Linear head;

    /**
     * Builds the layers; {@code weights} decides what is in them.
     */
    public Llama(LlamaConfig config, WeightSource weights) {
        Initializer normal = Initializer.normal(config.initializerRange());
        WeightSource model = weights.in("model");
        this.config = config;
        this.device = weights.device();
        this.rotary = RotaryTable.of(
                device, config.maxPositionEmbeddings(), config.headDim(), config.ropeTheta(), config.ropeScaling());
        this.embedding =
                child(new Embedding(model.in("embed_tokens"), config.vocabSize(), config.hiddenSize(), normal));
        this.blocks = IntStream.range(0, config.numHiddenLayers())
                .mapToObj(i -> child(new Block(config, model.in("layers").in(i), i)))
                .toList();
        this.norm = child(new RmsNorm(model.in("norm"), config.hiddenSize(), config.rmsNormEps()));
        this.head = config.tieWordEmbeddings()
                ? null
                : child(new Linear(weights.in("lm_head"), config.hiddenSize(), config.vocabSize(), false, normal));
    }

    /**
     * Reads a Hugging Face folder.
     *
     * @throws IOException when a file is missing or damaged, or the weights are not those that the configuration describes
     */
    public static Llama load(Path folder, Device device) throws IOException {
        return load(folder, device, DType.F32);
    }

    /**
     * {@link #load(Path, Device)}.
     *
     * @param dtype of the parameters: F32, or BF16 or F16 for mixed precision
     */
    public static Llama load(Path folder, Device device, DType dtype) throws IOException {
        LlamaConfig config = LlamaConfig.read(folder);
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            WeightSource weights = WeightSource.from(checkpoint, device).to(dtype);
            Llama model = new Llama(config, weights);
            weights.requireAllLoaded(name -> name.endsWith("rotary_emb.inv_freq")
                    || name.equals("lm_head.weight") && config.tieWordEmbeddings());
            return model;
        } catch (UncheckedIOException e) {
            throw new IOException(e.getCause().getMessage(), e.getCause());
        }
    }

    @Override
    public Variable hiddenStates(Input input) {
        Context context =
                new Context(rotary, input.positions(), input.attentionMask(), input.cache(), input.documentStarts());
        Variable x = embedding.forward(input.ids());
        for (Block block : blocks) {
            x = applyBlock(h -> block.forward(h, context), x);
        }
        return norm.forward(x);
    }

    @Override
    public Variable lmHeadWeight() {
        return head == null ? embedding.weight() : head.weight();
    }

    public LlamaConfig config() {
        return config;
    }

    @Override
    public int vocabSize() {
        return config.vocabSize();
    }

    @Override
    public int contextLength() {
        return config.maxPositionEmbeddings();
    }

    @Override
    public KeyValueCache newCache(int capacity) {
        return new KeyValueCache(config.numHiddenLayers(), capacity);
    }

    @Override
    public Device device() {
        return device;
    }

    /** One block. */
    private static final class Block extends Module {
        private final int layer;
        private final RmsNorm inputNorm;
        private final GroupedQueryAttention attention;
        private final RmsNorm postAttentionNorm;
        private final SwiGluMlp feedForward;

        Block(LlamaConfig c, WeightSource weights, int layer) {
            Initializer normal = Initializer.normal(c.initializerRange());
            var sizes = new GroupedQueryAttention.Sizes(
                    c.hiddenSize(),
                    c.numAttentionHeads(),
                    c.numKeyValueHeads(),
                    c.headDim(),
                    c.attentionBias(),
                    c.outputBias());
            this.layer = layer;
            this.inputNorm = child(new RmsNorm(weights.in("input_layernorm"), c.hiddenSize(), c.rmsNormEps()));
            this.attention = child(new GroupedQueryAttention(weights.in("self_attn"), sizes, normal));
            this.postAttentionNorm =
                    child(new RmsNorm(weights.in("post_attention_layernorm"), c.hiddenSize(), c.rmsNormEps()));
            this.feedForward =
                    child(new SwiGluMlp(weights.in("mlp"), c.hiddenSize(), c.intermediateSize(), c.mlpBias(), normal));
        }

        Variable forward(Variable x, Context context) {
            x = x.add(attention.forward(inputNorm.forward(x), context, layer));
            return x.add(feedForward.forward(postAttentionNorm.forward(x)));
        }
    }
}
