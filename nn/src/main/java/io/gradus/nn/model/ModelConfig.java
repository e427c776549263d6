package io.gradus.nn.model;

import io.gradus.nn.WeightSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * The description of one network: the typed contents of its {@code config.json}. It is usually a record whose
 * components are the file's keys in Java's spelling. The four sizes have Hugging Face's common names; GPT-2, for example, returns its
 * {@code n_embd} as {@link #hiddenSize}.
 */
public interface ModelConfig {
    /** The number of tokens in the vocabulary. */
    int vocabSize();

    /** The number of elements of a token's hidden state between layers. */
    int hiddenSize();

    /** The number of layers (transformer blocks). */
    int numHiddenLayers();

    /** The context length: the largest number of tokens in one sequence. */
    int maxPositionEmbeddings();

    /** Whether the network reads a text token by token and keeps a state, which contiguous batches carry from one to the next. */
    default boolean isRecurrent() {
        return false;
    }

    /** The sizes that a checkpoint of this network also shows. By default none are known. */
    default List<ConfigSize> sizes() {
        return List.of();
    }

    /**
     * Builds the causal language model. The source decides whether its weights are read, initialized or only counted. A family
     * without one, such as an encoder, overrides {@link #build(WeightSource, Head)} instead.
     *
     * @throws IllegalArgumentException if the family has none
     */
    default LanguageModel build(WeightSource weights) {
        throw new Head.LanguageModeling().unsupported(this);
    }

    /**
     * Builds the network with a head. By default a family has language models only.
     *
     * @throws IllegalArgumentException if the family does not have the head
     */
    default PretrainedModel build(WeightSource weights, Head head) {
        if (head instanceof Head.LanguageModeling) {
            return build(weights);
        }
        throw head.unsupported(this);
    }

    /** The name of the class in transformers that has a head, which the saved {@code architectures} names. */
    default String architecture(Head head) {
        String own = toJson().texts("architectures").stream().findFirst().orElse("");
        return head instanceof Head.LanguageModeling
                ? own
                : own.replaceFirst("ForCausalLM$|LMHeadModel$", head.suffix());
    }

    /** The contents of {@code config.json}, with {@code model_type}; reading them gives an equal configuration. */
    ConfigJson toJson();

    /**
     * Maps the name of a parameter in the network to the name of its tensor in a checkpoint, for families whose checkpoints
     * vary. By default the names are the same.
     *
     * @param inCheckpoint whether the checkpoint has a tensor of a given name
     */
    default UnaryOperator<String> tensorNames(Predicate<String> inCheckpoint) {
        return UnaryOperator.identity();
    }

    /**
     * The embedding table and the output layer, for families whose {@code tie_word_embeddings} says whether they share a weight.
     * By default they never do.
     */
    default Optional<WordEmbeddings> wordEmbeddings() {
        return Optional.empty();
    }

    /** Whether a tensor in a checkpoint that the network does not use may be ignored. By default none may. */
    default boolean ignoresTensor(String name) {
        return false;
    }

    /**
     * Whether a tensor in a checkpoint belongs to another head than the network's, so that it need not be used. By default this
     * is the output layer of a language model.
     */
    default boolean isOfOtherHead(String name, Head head) {
        return !(head instanceof Head.LanguageModeling)
                && wordEmbeddings()
                        .filter(weights -> weights.head().equals(name))
                        .isPresent();
    }
}
