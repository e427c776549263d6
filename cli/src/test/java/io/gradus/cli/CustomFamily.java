package io.gradus.cli;

import io.gradus.autograd.Variable;
import io.gradus.nn.Embedding;
import io.gradus.nn.Initializer;
import io.gradus.nn.Linear;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** A user-defined model family: a bigram model with residual layers. The test resources register it in {@code META-INF}. */
public final class CustomFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("bigram");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return new Config(
                config.integer("vocab_size"),
                config.integer("hidden_size"),
                config.integer("num_hidden_layers"),
                config.integer("max_position_embeddings"));
    }

    record Config(int vocabSize, int hiddenSize, int numHiddenLayers, int maxPositionEmbeddings)
            implements ModelConfig {
        @Override
        public LanguageModel build(WeightSource weights) {
            return new Bigram(this, weights);
        }

        @Override
        public ConfigJson toJson() {
            return new ConfigJson()
                    .set("model_type", "bigram")
                    .set("vocab_size", vocabSize)
                    .set("hidden_size", hiddenSize)
                    .set("num_hidden_layers", numHiddenLayers)
                    .set("max_position_embeddings", maxPositionEmbeddings);
        }
    }

    private static final class Bigram extends LanguageModel {
        private final Config config;
        private final Embedding embedTokens;
        private final List<Linear> layers;
        private final Linear lmHead;

        Bigram(Config config, WeightSource weights) {
            int width = config.hiddenSize();
            Initializer normal = Initializer.normal(0.1);
            this.config = config;
            this.embedTokens = register(new Embedding(weights.in("embed_tokens"), config.vocabSize(), width, normal));
            this.layers = IntStream.range(0, config.numHiddenLayers())
                    .mapToObj(i -> register(new Linear(weights.in("layers").in(i), width, width, true)))
                    .toList();
            this.lmHead = register(new Linear(weights.in("lm_head"), width, config.vocabSize(), false, normal));
        }

        @Override
        public Variable hiddenStates(Input input) {
            Variable x = embedTokens.forward(input.ids());
            for (Linear layer : layers) {
                x = applyLayer(h -> h.add(layer.forward(h).tanh()), x);
            }
            return x;
        }

        @Override
        public Variable lmHeadWeight() {
            return lmHead.weight();
        }

        @Override
        public Config config() {
            return config;
        }
    }
}
