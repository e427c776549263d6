package io.gradus.nn.model.granite;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** Granite 3. */
public final class GraniteFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("granite");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return GraniteConfig.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return GraniteConfig.KEYS;
    }
}
