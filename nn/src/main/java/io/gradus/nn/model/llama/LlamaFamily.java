package io.gradus.nn.model.llama;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.Set;

/** Llama, Mistral without sliding-window attention, and Qwen2. */
public final class LlamaFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("llama", "mistral", "qwen2");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return LlamaConfig.read(config);
    }
}
