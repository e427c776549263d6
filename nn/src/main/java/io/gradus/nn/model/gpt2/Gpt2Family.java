package io.gradus.nn.model.gpt2;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** GPT-2. */
public final class Gpt2Family implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("gpt2");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return Gpt2Config.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return Gpt2Keys.TABLE;
    }
}
