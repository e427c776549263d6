package io.gradus.nn.model.phi3;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** Phi-3. */
public final class Phi3Family implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("phi3");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return Phi3Config.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return Phi3Config.KEYS;
    }
}
