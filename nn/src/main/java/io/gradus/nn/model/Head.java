package io.gradus.nn.model;

import java.util.List;
import java.util.Locale;

/**
 * What a network computes from the hidden states of its tokens. A {@linkplain ModelConfig#build(io.gradus.nn.WeightSource, Head)
 * family} says which heads it has. The names are those of the classes of transformers.
 */
public sealed interface Head {
    /** The hidden states themselves, {@code [B, T, hidden_size]}: {@code AutoModel}. */
    record None() implements Head {}

    /** A score for each token of the vocabulary: {@code ForCausalLM}, or for an encoder {@code ForMaskedLM}. */
    record LanguageModeling() implements Head {}

    /** Scores of labels for a whole sequence, {@code [B, labels]}: {@code ForSequenceClassification}. */
    record SequenceClassification(Labels labels) implements Head {}

    /** Scores of labels for each token, {@code [B, T, labels]}: {@code ForTokenClassification}. */
    record TokenClassification(Labels labels) implements Head {}

    /**
     * The head of a folder, by the class that its {@code architectures} names.
     *
     * @throws IllegalArgumentException if it is a classifier whose labels are missing or malformed
     */
    static Head read(ConfigJson json) {
        String name = json.texts("architectures").stream().findFirst().orElse("");
        if (name.endsWith("ForSequenceClassification")) {
            return new SequenceClassification(Labels.read(json));
        }
        if (name.endsWith("ForTokenClassification")) {
            return new TokenClassification(Labels.read(json));
        }
        return name.endsWith("Model") && !name.endsWith("LMHeadModel") ? new None() : new LanguageModeling();
    }

    /** Sets what {@code config.json} says about this head: {@code architectures}, and the labels of a classifier. */
    default ConfigJson write(ConfigJson json, ModelConfig config) {
        json.set("architectures", List.of(config.architecture(this)));
        switch (this) {
            case SequenceClassification(Labels labels) -> labels.write(json, true);
            case TokenClassification(Labels labels) -> labels.write(json, false);
            case None _, LanguageModeling _ -> {}
        }
        return json;
    }

    /** The end of the name of the class in transformers, for a family whose class of a causal language model is known. */
    default String suffix() {
        return switch (this) {
            case None _ -> "Model";
            case LanguageModeling _ -> "ForCausalLM";
            case SequenceClassification _ -> "ForSequenceClassification";
            case TokenClassification _ -> "ForTokenClassification";
        };
    }

    /** The name of the head in messages, such as {@code sequence classification}. */
    default String title() {
        return switch (this) {
            case None _ -> "bare network";
            case LanguageModeling _ -> "language modeling";
            case SequenceClassification _ -> "sequence classification";
            case TokenClassification _ -> "token classification";
        };
    }

    /** The problem that a network has no such head. */
    default IllegalArgumentException unsupported(ModelConfig config) {
        String family = config.getClass().getSimpleName().replace("Config", "").toLowerCase(Locale.ROOT);
        return new IllegalArgumentException("the family " + family + " has no head for " + title()
                + "; choose a model of another family, or override build(WeightSource, Head) in "
                + config.getClass().getName());
    }
}
