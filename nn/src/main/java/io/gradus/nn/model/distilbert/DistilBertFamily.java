package io.gradus.nn.model.distilbert;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** DistilBERT. */
public final class DistilBertFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("distilbert");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return DistilBertConfig.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return DistilBertConfig.KEYS;
    }
}
