package io.gradus.nn.model.gpt2;

import io.gradus.autograd.Variable;
import io.gradus.nn.Activation;
import io.gradus.nn.Dropout;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.LayerNorm;
import io.gradus.nn.Linear;
import io.gradus.nn.Module;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * GPT-2 (Radford et al. 2019): learned positions and a stack of blocks, each with multi-head attention and a feed-forward
 * network. A layer norm comes before each of the two and a residual connection goes around it.
 *
 * <p>The layers that end in a residual connection are initialized with a standard deviation smaller by {@code 1/√(2·n_layer)}
 * (section 2.3 of the paper): there are two of them per block, and their sum should not grow with the depth.
 */
public final class Gpt2 extends LanguageModel {
    private final Gpt2Config config;
    private final Embedding wte;
    private final Embedding wpe;
    private final Dropout drop;
    private final List<Block> h;
    private final LayerNorm lnF;
    private final @Nullable Linear lmHead;

    /** Builds the network with weights from a source. */
    public Gpt2(Gpt2Config config, WeightSource weights) {
        Initializer normal = Initializer.normal(config.initializerRange());
        WeightSource model = weights.in("transformer");
        this.config = config;
        this.wte = register(new Embedding(model.in("wte"), config.vocabSize(), config.nEmbd(), normal));
        this.wpe = register(new Embedding(model.in("wpe"), config.nPositions(), config.nEmbd(), normal));
        this.drop = register("drop", new Dropout(config.embdPdrop(), 0, 0));
        this.h = IntStream.range(0, config.nLayer())
                .mapToObj(i -> register(new Block(model.in("h").in(i), config, i)))
                .toList();
        this.lnF = register(new LayerNorm(model.in("ln_f"), config.nEmbd(), config.layerNormEpsilon()));
        this.lmHead = config.tieWordEmbeddings()
                ? null
                : register(new Linear(weights.in("lm_head"), config.nEmbd(), config.vocabSize(), false, normal));
    }

    /**
     * @throws IllegalArgumentException if there are more tokens, including the cached ones, than positions
     */
    @Override
    public Variable hiddenStates(Input input) {
        requirePositions(input);
        Variable x = drop.forward(wte.forward(input.ids()).add(wpe.forward(input.positions())));
        for (Block block : h) {
            x = applyLayer(states -> block.forward(states, input), x);
        }
        return lnF.forward(x);
    }

    @Override
    public Variable lmHeadWeight() {
        return lmHead == null ? wte.weight() : lmHead.weight();
    }

    @Override
    public Gpt2Config config() {
        return config;
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

    /** One block: attention, then the feed-forward network. */
    private static final class Block extends Module {
        private final LayerNorm ln1;
        private final CausalSelfAttention attn;
        private final LayerNorm ln2;
        private final Mlp mlp;

        Block(WeightSource weights, Gpt2Config config, int layer) {
            this.ln1 = register(new LayerNorm(weights.in("ln_1"), config.nEmbd(), config.layerNormEpsilon()));
            this.attn = register(new CausalSelfAttention(weights.in("attn"), config, layer));
            this.ln2 = register(new LayerNorm(weights.in("ln_2"), config.nEmbd(), config.layerNormEpsilon()));
            this.mlp = register(new Mlp(weights.in("mlp"), config, layer));
        }

        Variable forward(Variable x, Input input) {
            x = x.add(attn.forward(ln1.forward(x), input));
            return x.add(mlp.forward(ln2.forward(x)));
        }
    }

    /** The feed-forward network of a block. */
    private static final class Mlp extends Module {
        private final Activation activation;
        private final Conv1D cFc;
        private final Conv1D cProj;
        private final Dropout dropout;

        Mlp(WeightSource weights, Gpt2Config config, int layer) {
            this.activation = config.activationFunction();
            this.cFc = register(new Conv1D(
                    weights.in("c_fc"),
                    config.nEmbd(),
                    config.nInner(),
                    Initializer.normal(config.initializerRange())));
            this.cProj = register(
                    new Conv1D(weights.in("c_proj"), config.nInner(), config.nEmbd(), config.residualInitializer()));
            this.dropout = register("dropout", new Dropout(config.residPdrop(), 0, Gpt2Config.dropoutLayer(layer, 2)));
        }

        Variable forward(Variable x) {
            return dropout.forward(cProj.forward(activation.forward(cFc.forward(x))));
        }
    }
}
