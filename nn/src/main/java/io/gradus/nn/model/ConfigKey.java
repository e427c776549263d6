package io.gradus.nn.model;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A row of a family's table of the keys of {@code config.json}: what the family does with one key. A family that has a table
 * lists every key that its class in transformers reads.
 *
 * @param name the key; after a dot, a key of the object under it
 * @param use what a family does with it
 * @param nullable whether {@code null} means that the key is missing; otherwise it is rejected, as by transformers
 * @param accepted the only value of a rejected key that is accepted, because it changes nothing; null if there is none
 * @param meaning for an honored key what it sets, for others why it is not needed or not supported
 */
public record ConfigKey(
        String name, Use use, boolean nullable, @Nullable Object accepted, String meaning) {

    /** What a family does with a key. */
    public enum Use {
        /** The network is as the key says. */
        HONORED,
        /** The key changes neither results nor gradients. */
        HARMLESS,
        /** A value that changes them is an error. */
        REJECTED
    }

    /** Keys that any {@code config.json} may have, and that do not describe the network. */
    public static final List<ConfigKey> COMMON = Stream.of(
                    harmless(
                            "of the file and of the program that wrote it",
                            "_name_or_path",
                            "architectures",
                            "dtype",
                            "model_type",
                            "name_or_path",
                            "torch_dtype",
                            "transformers_version",
                            "unsloth_fixed",
                            "unsloth_version"),
                    harmless(
                            "of how a program computes the same results",
                            "_attn_implementation",
                            "_attn_implementation_autoset",
                            "attn_implementation",
                            "base_model_tp_plan",
                            "chunk_size_feed_forward",
                            "distributed_config",
                            "gradient_checkpointing",
                            "output_attentions",
                            "output_hidden_states",
                            "output_scores",
                            "pretraining_tp",
                            "return_dict",
                            "return_dict_in_generate",
                            "torchscript",
                            "use_bfloat16",
                            "use_cache"),
                    harmless(
                            "of the tokenizer and of text generation, which read it themselves",
                            "bad_words_ids",
                            "begin_suppress_tokens",
                            "bos_token_id",
                            "decoder_start_token_id",
                            "diversity_penalty",
                            "do_sample",
                            "early_stopping",
                            "encoder_no_repeat_ngram_size",
                            "eos_token_id",
                            "exponential_decay_length_penalty",
                            "forced_bos_token_id",
                            "forced_eos_token_id",
                            "length_penalty",
                            "max_length",
                            "max_new_tokens",
                            "min_length",
                            "no_repeat_ngram_size",
                            "num_beam_groups",
                            "num_beams",
                            "num_return_sequences",
                            "prefix",
                            "remove_invalid_values",
                            "repetition_penalty",
                            "sep_token_id",
                            "suppress_tokens",
                            "temperature",
                            "tokenizer_class",
                            "top_k",
                            "top_p",
                            "typical_p"),
                    harmless(
                            "of other tasks, such as classification and translation",
                            "classifier_dropout",
                            "cross_attention_hidden_size",
                            "finetuning_task",
                            "id2label",
                            "is_decoder",
                            "is_encoder_decoder",
                            "label2id",
                            "loss_type",
                            "num_labels",
                            "problem_type",
                            "task_specific_params",
                            "tie_encoder_decoder"))
            .flatMap(List::stream)
            .toList();

    /** What transformers does with any model, whichever family it is of. */
    public static final List<ConfigKey> TRANSFORMERS = List.of(
            rejected("auto_map", null, "the model has code of its own, which is not run"),
            rejected("compression_config", null, "quantized weights cannot be trained"),
            rejected("configuration_files", null, "the configuration is in another file; save it as config.json"),
            rejected("fusion_config", null, "layers of other programs are not supported"),
            rejected("is_causal", true, "attention to later tokens is not supported"),
            rejected("per_layer_config", null, "layers with settings of their own are not supported"),
            rejected("quantization", null, "quantized weights cannot be trained"),
            rejected("quantization_config", null, "quantized weights cannot be trained"),
            rejected("text_config", null, "a language model inside another model is not supported"),
            rejected("transformers_weights", null, "the weights must be in model.safetensors or its shards"));

    /** A key that sets what the meaning says. It must not be null. */
    public static ConfigKey honored(String name, String meaning) {
        return new ConfigKey(name, Use.HONORED, false, null, meaning);
    }

    /** A key that sets what the meaning says, and may be null. */
    public static ConfigKey optional(String name, String meaning) {
        return new ConfigKey(name, Use.HONORED, true, null, meaning);
    }

    /** A key that is not needed. */
    public static ConfigKey harmless(String name, String meaning) {
        return new ConfigKey(name, Use.HARMLESS, true, null, meaning);
    }

    /** Keys that are not needed, for one reason. */
    private static List<ConfigKey> harmless(String meaning, String... names) {
        return Arrays.stream(names).map(name -> harmless(name, meaning)).toList();
    }

    /**
     * A key that is not supported.
     *
     * @param accepted a value that is accepted because it changes nothing, or null
     */
    public static ConfigKey rejected(String name, @Nullable Object accepted, String meaning) {
        return new ConfigKey(name, Use.REJECTED, true, accepted, meaning);
    }

    /**
     * Checks a configuration against a table, and marks its keys as known.
     *
     * @throws IllegalArgumentException if a rejected key is set, or a key is null that must not be
     */
    public static void check(List<ConfigKey> table, ConfigJson json) {
        for (ConfigKey key : table) {
            switch (key.use) {
                case HONORED -> {
                    if (!key.nullable) {
                        json.requireNotNull(key.name);
                    }
                }
                case HARMLESS -> json.ignore(key.name);
                case REJECTED ->
                    ConfigJson.require(
                            json.isAtMost(key.name, key.accepted),
                            key.name + " is " + json.shown(key.name) + ", which is not supported: " + key.meaning);
            }
        }
    }
}
