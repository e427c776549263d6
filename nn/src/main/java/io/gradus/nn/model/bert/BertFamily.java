package io.gradus.nn.model.bert;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFamily;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** BERT, RoBERTa and XLM-RoBERTa. */
public final class BertFamily implements ModelFamily {
    @Override
    public Set<String> modelTypes() {
        return Arrays.stream(BertType.values()).map(BertType::modelType).collect(Collectors.toSet());
    }

    @Override
    public ModelConfig read(ConfigJson config) {
        return BertConfig.read(config);
    }

    @Override
    public List<ConfigKey> keys(String modelType) {
        return BertConfig.keys(BertType.of(modelType));
    }
}
