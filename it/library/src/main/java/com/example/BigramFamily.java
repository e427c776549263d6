package com.example;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.Set;

/** The model family of this program. */
public final class BigramFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of(BigramConfig.MODEL_TYPE);
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return BigramConfig.read(config);
    }
}
