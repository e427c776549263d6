package io.gradus.nn.model.qwen3;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** Qwen3. */
public final class Qwen3Family implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("qwen3");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return Qwen3Config.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return Qwen3Config.KEYS;
    }
}
