package io.gradus.nn.model.gpt2;

import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;
import static io.gradus.nn.model.ConfigKey.rejected;

import io.gradus.nn.model.ConfigKey;
import java.util.List;
import java.util.stream.Stream;

/** The keys of the {@code config.json} of a GPT-2. */
public final class Gpt2Keys {
    private static final String HEAD = "of models with another output layer";

    /** The table. */
    public static final List<ConfigKey> TABLE = Stream.concat(
                    Stream.of(
                            honored("vocab_size", "tokens in the vocabulary"),
                            honored("n_positions", "context length, in tokens"),
                            honored("max_position_embeddings", "the same as n_positions; comes first"),
                            honored("n_embd", "elements of a hidden state"),
                            honored("hidden_size", "the same as n_embd; comes first"),
                            honored("n_layer", "blocks"),
                            honored("num_hidden_layers", "the same as n_layer; comes first"),
                            honored("n_head", "attention heads"),
                            honored("num_attention_heads", "the same as n_head; comes first"),
                            optional("n_inner", "elements between the feed-forward layers; 4 · n_embd by default"),
                            honored("activation_function", "between the feed-forward layers"),
                            honored(
                                    "resid_pdrop",
                                    "share of what a block adds to its input that is dropped in training"),
                            honored("embd_pdrop", "share of the embeddings that is dropped in training"),
                            honored("attn_pdrop", "share of the attention probabilities that is dropped in training"),
                            honored("layer_norm_epsilon", "added to the variance in each norm"),
                            honored("scale_attn_weights", "whether scores are divided by √(n_embd / n_head)"),
                            honored(
                                    "scale_attn_by_inverse_layer_idx",
                                    "whether scores of layer i, from 0, are also divided by i + 1"),
                            honored("tie_word_embeddings", "whether the output layer shares the embedding table"),
                            rejected("add_cross_attention", false, "attention to another text is not supported"),
                            harmless("initializer_range", "of new weights"),
                            harmless("n_ctx", "the same as n_positions, in old files"),
                            harmless("pad_token_id", "of the tokenizer"),
                            harmless("reorder_and_upcast_attn", "attention scores are F32 in any case"),
                            harmless("summary_activation", HEAD),
                            harmless("summary_first_dropout", HEAD),
                            harmless("summary_proj_to_labels", HEAD),
                            harmless("summary_type", HEAD),
                            harmless("summary_use_proj", HEAD)),
                    ConfigKey.TRANSFORMERS.stream())
            .toList();

    private Gpt2Keys() {}
}
