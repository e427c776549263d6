package io.gradus.nn.model.modernbert;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** ModernBERT. */
public final class ModernBertFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("modernbert");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return ModernBertConfig.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return ModernBertConfig.KEYS;
    }
}
