package io.gradus.nn.model.gemma;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** Gemma 2. */
public final class Gemma2Family implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("gemma2");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return Gemma2Config.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return Gemma2Config.KEYS;
    }
}
