package io.gradus.nn.model.llama;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Llama, Mistral and Qwen2. */
public final class LlamaFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Arrays.stream(LlamaType.values()).map(LlamaType::modelType).collect(Collectors.toSet());
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return LlamaConfig.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return LlamaType.of(modelType).keys();
    }
}
