package com.example;

import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;

/** The description of a {@link Bigram}. */
record BigramConfig(int vocabSize, int hiddenSize, int numHiddenLayers, int maxPositionEmbeddings)
        implements ModelConfig {
    static final String MODEL_TYPE = "example-bigram";

    static BigramConfig read(ConfigJson json) {
        return new BigramConfig(
                json.integer("vocab_size"),
                json.integer("hidden_size"),
                json.integer("num_hidden_layers"),
                json.integer("max_position_embeddings"));
    }

    @Override
    public LanguageModel build(WeightSource weights) {
        return new Bigram(this, weights);
    }

    @Override
    public ConfigJson toJson() {
        return new ConfigJson()
                .set("model_type", MODEL_TYPE)
                .set("vocab_size", vocabSize)
                .set("hidden_size", hiddenSize)
                .set("num_hidden_layers", numHiddenLayers)
                .set("max_position_embeddings", maxPositionEmbeddings);
    }
}
