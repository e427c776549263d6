package io.gradus.nn.model.gpt2;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.LayerNorm;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * GPT-2 (Radford et al. 2019): trained positions, and a stack of blocks, each of attention and a feed-forward network with a
 * norm before and a residual connection around both.
 *
 * <p>The layers that end in a residual connection start smaller than the others, by {@code 1/√(2·layers)} (section 2.3 of the
 * paper: there are two of them in each block, and what they add up should not grow with the depth).
 *
 * <p>Dropout that {@code config.json} asks for is not applied; a warning says so at the first forward pass of a training.
 */
public final class Gpt2 extends LanguageModel {
    private static final String PREFIX = "transformer.";

    /** Tables of the causal mask, which older versions of transformers saved among the weights. */
    private static final Pattern MASK = Pattern.compile("(transformer\\.)?h\\.\\d+\\.attn\\.(bias|masked_bias)");

    private final Gpt2Config config;
    private final Device device;
    private final Embedding tokens;
    private final Embedding positions;
    private final List<Block> blocks;
    private final LayerNorm norm;
    private final @Nullable Linear head;
    private boolean toldOfDropout;

    /** Builds the layers; {@code weights} decides what is in them. */
    public Gpt2(Gpt2Config config, WeightSource weights) {
        Initializer normal = Initializer.normal(config.initializerRange());
        WeightSource model = weights.in("transformer");
        this.config = config;
        this.device = weights.device();
        this.tokens = child(new Embedding(model.in("wte"), config.vocabSize(), config.nEmbd(), normal));
        this.positions = child(new Embedding(model.in("wpe"), config.nPositions(), config.nEmbd(), normal));
        this.blocks = IntStream.range(0, config.nLayer())
                .mapToObj(i -> child(new Block(config, model.in("h").in(i), i)))
                .toList();
        this.norm = child(new LayerNorm(model.in("ln_f"), config.nEmbd(), config.layerNormEpsilon()));
        this.head = config.tieWordEmbeddings()
                ? null
                : child(new Linear(weights.in("lm_head"), config.nEmbd(), config.vocabSize(), false, normal));
    }

    /**
     * Reads a Hugging Face folder. Its file may hold the model with its output layer, or, as that of {@code gpt2} itself, the
     * model alone, whose names do not begin with {@code transformer.}.
     *
     * @throws IOException when a file is missing or damaged, or the weights are not those that the configuration describes
     */
    public static Gpt2 load(Path folder, Device device) throws IOException {
        return load(folder, device, DType.F32);
    }

    /**
     * {@link #load(Path, Device)}.
     *
     * @param dtype of the parameters: F32, or BF16 or F16 for mixed precision
     */
    public static Gpt2 load(Path folder, Device device, DType dtype) throws IOException {
        Gpt2Config config = Gpt2Config.read(folder);
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(folder)) {
            WeightSource weights =
                    WeightSource.from(checkpoint, device, prefixes(checkpoint)).to(dtype);
            Gpt2 model = new Gpt2(config, weights);
            weights.requireAllLoaded(name ->
                    MASK.matcher(name).matches() || name.equals("lm_head.weight") && config.tieWordEmbeddings());
            return model;
        } catch (UncheckedIOException e) {
            throw new IOException(e.getCause().getMessage(), e.getCause());
        }
    }

    private static UnaryOperator<String> prefixes(SafetensorsCheckpoint checkpoint) {
        return checkpoint.contains("wte.weight") ? Gpt2::withoutPrefix : UnaryOperator.identity();
    }

    @Override
    public UnaryOperator<String> namesIn(SafetensorsCheckpoint checkpoint) {
        return prefixes(checkpoint);
    }

    private static String withoutPrefix(String name) {
        return name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
    }

    /**
     * @throws IllegalArgumentException when there are more tokens, the cached ones included, than positions
     */
    @Override
    public Variable hiddenStates(Input input) {
        requirePositions(input);
        tellOfDropout();
        Variable x = tokens.forward(input.ids()).add(positions.forward(input.positions()));
        for (Block block : blocks) {
            x = applyBlock(h -> block.forward(h, input), x);
        }
        return norm.forward(x);
    }

    @Override
    public Variable lmHeadWeight() {
        return head == null ? tokens.weight() : head.weight();
    }

    private void requirePositions(Input input) {
        KeyValueCache cache = input.cache();
        long length = input.ids().shape().get(1) + (cache == null ? 0 : cache.length());
        if (length > config.nPositions()) {
            throw new IllegalArgumentException(
                    "gpt2: the text has " + length + " tokens and the model has positions for " + config.nPositions()
                            + " (n_positions in config.json); shorten it");
        }
    }

    private void tellOfDropout() {
        if (isTraining() && config.hasDropout() && !toldOfDropout) {
            toldOfDropout = true;
            System.getLogger(Gpt2.class.getName())
                    .log(
                            Level.WARNING,
                            "config.json asks for dropout (resid_pdrop {0}, embd_pdrop {1}, attn_pdrop {2}), which is"
                                    + " not applied: the model trains without it",
                            config.residPdrop(),
                            config.embdPdrop(),
                            config.attnPdrop());
        }
    }

    public Gpt2Config config() {
        return config;
    }

    @Override
    public int vocabSize() {
        return config.vocabSize();
    }

    @Override
    public int contextLength() {
        return config.nPositions();
    }

    @Override
    public KeyValueCache newCache(int capacity) {
        return new KeyValueCache(config.nLayer(), capacity);
    }

    @Override
    public Device device() {
        return device;
    }

    /** One block. */
    private static final class Block extends Module {
        private final int layer;
        private final LayerNorm attentionNorm;
        private final CausalSelfAttention attention;
        private final LayerNorm feedForwardNorm;
        private final FeedForward feedForward;

        Block(Gpt2Config c, WeightSource weights, int layer) {
            Initializer normal = Initializer.normal(c.initializerRange());
            Initializer residual = Initializer.normal(c.initializerRange() / Math.sqrt(2.0 * c.nLayer()));
            double scale = c.scaleAttnWeights() ? 1 / Math.sqrt((double) c.nEmbd() / c.nHead()) : 1;
            this.layer = layer;
            this.attentionNorm = child(new LayerNorm(weights.in("ln_1"), c.nEmbd(), c.layerNormEpsilon()));
            this.attention =
                    child(new CausalSelfAttention(weights.in("attn"), c.nEmbd(), c.nHead(), scale, normal, residual));
            this.feedForwardNorm = child(new LayerNorm(weights.in("ln_2"), c.nEmbd(), c.layerNormEpsilon()));
            this.feedForward = child(new FeedForward(c, weights.in("mlp"), normal, residual));
        }

        Variable forward(Variable x, Input input) {
            x = x.add(attention.forward(
                    attentionNorm.forward(x), input.attentionMask(), input.cache(), layer, input.documentStarts()));
            return x.add(feedForward.forward(feedForwardNorm.forward(x)));
        }
    }

    /** The feed-forward part of a block. */
    private static final class FeedForward extends Module {
        private final Gpt2Config.Activation activation;
        private final Conv1D up;
        private final Conv1D down;

        FeedForward(Gpt2Config c, WeightSource weights, Initializer normal, Initializer residual) {
            this.activation = c.activationFunction();
            this.up = child(new Conv1D(weights.in("c_fc"), c.nEmbd(), c.nInner(), normal));
            this.down = child(new Conv1D(weights.in("c_proj"), c.nInner(), c.nEmbd(), residual));
        }

        Variable forward(Variable x) {
            return down.forward(activation.apply(up.forward(x)));
        }
    }
}
