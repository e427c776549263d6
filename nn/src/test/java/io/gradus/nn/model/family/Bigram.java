package io.gradus.nn.model.family;

import io.gradus.autograd.Variable;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import java.util.List;
import java.util.stream.IntStream;

/** A model of bigrams as a user would write it: each token's embedding goes through residual layers to the output. */
final class Bigram extends LanguageModel {
    private final BigramConfig config;
    private final Embedding embed;
    private final List<Linear> layers;
    private final Linear head;

    Bigram(BigramConfig config, WeightSource weights) {
        Initializer normal = Initializer.normal(0.5);
        this.config = config;
        this.embed = register(new Embedding(weights.in("embed"), config.vocabSize(), config.hiddenSize(), normal));
        this.layers = IntStream.range(0, config.numHiddenLayers())
                .mapToObj(i -> register(
                        new Linear(weights.in("layers").in(i), config.hiddenSize(), config.hiddenSize(), true, normal)))
                .toList();
        this.head = register(new Linear(weights.in("head"), config.hiddenSize(), config.vocabSize(), false, normal));
    }

    @Override
    public Variable hiddenStates(Input input) {
        Variable x = embed.forward(input.ids());
        for (Linear layer : layers) {
            x = applyLayer(h -> h.add(layer.forward(h).tanh()), x);
        }
        return x;
    }

    @Override
    public Variable lmHeadWeight() {
        return head.weight();
    }

    @Override
    public BigramConfig config() {
        return config;
    }
}
