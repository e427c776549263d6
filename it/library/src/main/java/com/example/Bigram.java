package com.example;

import io.gradus.autograd.Variable;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.RmsNorm;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import java.util.List;
import java.util.stream.IntStream;

/** A network of this program: the next token follows from the last one and its position alone. */
final class Bigram extends LanguageModel {
    private final BigramConfig config;
    private final Embedding tokens;
    private final Embedding positions;
    private final List<GatedBlock> layers;
    private final RmsNorm norm;

    Bigram(BigramConfig config, WeightSource weights) {
        Initializer normal = Initializer.normal(0.05);
        this.config = config;
        this.tokens = register(new Embedding(weights.in("tokens"), config.vocabSize(), config.hiddenSize(), normal));
        this.positions = register(
                new Embedding(weights.in("positions"), config.maxPositionEmbeddings(), config.hiddenSize(), normal));
        this.layers = IntStream.range(0, config.numHiddenLayers())
                .mapToObj(i -> register(new GatedBlock(weights.in("layers").in(i), config.hiddenSize())))
                .toList();
        this.norm = register(new RmsNorm(weights.in("norm"), config.hiddenSize(), 1e-6));
    }

    @Override
    public Variable hiddenStates(Input input) {
        Variable x = tokens.forward(input.ids()).add(positions.forward(input.positions()));
        for (GatedBlock layer : layers) {
            x = applyLayer(layer::forward, x);
        }
        return norm.forward(x);
    }

    @Override
    public Variable lmHeadWeight() {
        return tokens.weight();
    }

    @Override
    public BigramConfig config() {
        return config;
    }
}
