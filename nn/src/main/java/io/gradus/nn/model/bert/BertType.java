package io.gradus.nn.model.bert;

import io.gradus.nn.model.Head;
import java.util.Arrays;

/** The networks that a {@link BertConfig} describes: BERT, and those that differ from it in positions and heads. */
public enum BertType {
    /** BERT (Devlin et al. 2019). */
    BERT("bert", "Bert", 0),
    /** RoBERTa (Liu et al. 2019): longer training of the same layers; positions begin after that of padding. */
    ROBERTA("roberta", "Roberta", 1),
    /** XLM-RoBERTa (Conneau et al. 2020): RoBERTa for 100 languages. */
    XLM_ROBERTA("xlm-roberta", "XLMRoberta", 1);

    private final String modelType;
    private final String className;
    private final int padding;

    BertType(String modelType, String className, int padding) {
        this.modelType = modelType;
        this.className = className;
        this.padding = padding;
    }

    /** The value of {@code model_type}. */
    public String modelType() {
        return modelType;
    }

    static BertType of(String modelType) {
        return Arrays.stream(values())
                .filter(type -> type.modelType.equals(modelType))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("bert: unknown model_type '" + modelType + "'"));
    }

    /** The class in transformers. */
    String architecture(Head head) {
        return className + (head instanceof Head.LanguageModeling ? "ForMaskedLM" : head.suffix());
    }

    /** {@code pad_token_id}, where it is missing. */
    int padding() {
        return padding;
    }

    /** The name of the network in a model with a head. */
    String network() {
        return this == BERT ? "bert" : "roberta";
    }

    /** The output layer of masked language modeling, without {@code .weight} and {@code .bias}. */
    String decoder() {
        return (this == BERT ? "cls.predictions" : "lm_head") + ".decoder";
    }

    /** The bias of a tied output layer. */
    String decoderBias() {
        return (this == BERT ? "cls.predictions" : "lm_head") + ".bias";
    }
}
