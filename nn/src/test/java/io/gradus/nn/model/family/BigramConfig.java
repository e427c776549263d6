package io.gradus.nn.model.family;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

record BigramConfig(int vocabSize, int hiddenSize, int numHiddenLayers, int maxPositionEmbeddings)
        implements ModelConfig {
    @Override
    public LanguageModel build(WeightSource weights) {
        return new Bigram(this, weights);
    }

    /** Checkpoints of an older version have the prefix {@code old.}. */
    @Override
    public UnaryOperator<String> tensorNames(Predicate<String> inCheckpoint) {
        return inCheckpoint.test("old.head.weight") ? name -> "old." + name : UnaryOperator.identity();
    }

    @Override
    public boolean ignoresTensor(String name) {
        return name.equals("step");
    }

    @Override
    public ConfigJson toJson() {
        return new ConfigJson()
                .set("model_type", "bigram")
                .set("vocab_size", vocabSize)
                .set("dim", hiddenSize)
                .set("depth", numHiddenLayers)
                .set("context", maxPositionEmbeddings);
    }
}
