package io.gradus.nn.model.awdlstm;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.Set;

/** AWD-LSTM. transformers has no class for it; the keys and their defaults are fastai's. */
public final class AwdLstmFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of(AwdLstmConfig.TYPE);
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return AwdLstmConfig.read(config);
    }
}
