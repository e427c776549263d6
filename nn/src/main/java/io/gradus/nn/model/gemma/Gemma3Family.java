package io.gradus.nn.model.gemma;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** Gemma 3, for text. */
public final class Gemma3Family implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("gemma3_text");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return Gemma3Config.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return Gemma3Config.KEYS;
    }
}
