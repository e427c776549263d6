package io.gradus.nn.model.smollm3;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** SmolLM3. */
public final class SmolLm3Family implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("smollm3");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return SmolLm3Config.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return SmolLm3Config.KEYS;
    }
}
