package io.gradus.nn.model.olmo2;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** OLMo 2. */
public final class Olmo2Family implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("olmo2");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return Olmo2Config.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return Olmo2Config.KEYS;
    }
}
