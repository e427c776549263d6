package io.gradus.nn.model.gptneox;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.List;
import java.util.Set;

/** GPT-NeoX, and its smaller kin Pythia. */
public final class GptNeoXFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("gpt_neox");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return GptNeoXConfig.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return GptNeoXConfig.KEYS;
    }
}
