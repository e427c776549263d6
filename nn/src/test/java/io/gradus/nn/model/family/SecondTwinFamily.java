package io.gradus.nn.model.family;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.Set;

/** One of two families that claim the same {@code model_type}. */
public final class SecondTwinFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("twin");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        throw new AssertionError("no family may be chosen");
    }
}
