package io.gradus.nn.model.family;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.Set;

/** Found through {@code META-INF/services} of the test resources. */
public final class BigramFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("bigram");
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return new BigramConfig(
                config.integer("vocab_size"),
                config.integer("dim"),
                config.integer("depth"),
                config.integer("context"));
    }
}
