package io.gradus.nn.model.decoder;

import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.honored;
import static io.gradus.nn.model.ConfigKey.optional;

import io.gradus.nn.model.ConfigKey;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The keys of {@code config.json} that decoders share, for the tables of their families. */
public final class DecoderKeys {
    private static final List<ConfigKey> SHARED = List.of(
            honored("vocab_size", "tokens in the vocabulary"),
            honored("hidden_size", "elements of a hidden state"),
            honored("intermediate_size", "elements between the feed-forward layers"),
            honored("num_hidden_layers", "layers"),
            honored("num_attention_heads", "query heads"),
            honored("max_position_embeddings", "context length, in tokens"),
            optional("pad_token_id", "row of the embedding table that is not trained through lookups"),
            honored("tie_word_embeddings", "whether the output layer shares the embedding table"),
            harmless("initializer_range", "of new weights"));

    private static final List<ConfigKey> LLAMA = List.of(
            honored("hidden_act", "activation of the feed-forward layers"),
            honored("rms_norm_eps", "added to the mean square in each norm"));

    private static final List<ConfigKey> ROTARY = List.of(
            honored("rope_theta", "base of the rotary frequencies, unless the object below has one"),
            optional("rope_parameters", "rotary positions, in the spelling of transformers 5"),
            optional("rope_scaling", "the same in the spelling of transformers 4; comes first if both are there"),
            honored("rope_parameters.rope_type", "default, linear, dynamic, llama3 or yarn; others are rejected"),
            honored("rope_parameters.type", "the older name of rope_type"),
            honored("rope_parameters.rope_theta", "base of the rotary frequencies"),
            optional("rope_parameters.factor", "linear, dynamic, llama3, yarn: the ratio of the context lengths"),
            honored("rope_parameters.low_freq_factor", "llama3: rotations below which a frequency is low"),
            honored("rope_parameters.high_freq_factor", "llama3: rotations above which a frequency is high"),
            honored("rope_parameters.original_max_position_embeddings", "llama3, yarn: context length of pre-training"),
            honored("original_max_position_embeddings", "the same outside of the object; comes first"),
            optional("rope_parameters.attention_factor", "yarn: factor of cosines and sines"),
            optional("rope_parameters.beta_fast", "yarn: rotations above which a frequency is high"),
            optional("rope_parameters.beta_slow", "yarn: rotations below which a frequency is low"),
            optional("rope_parameters.mscale", "yarn: with mscale_all_dim, sets attention_factor"),
            optional("rope_parameters.mscale_all_dim", "yarn: with mscale, sets attention_factor"),
            honored("rope_parameters.truncate", "yarn: whether the bounds of the ramp are whole numbers"));

    private static final List<ConfigKey> WHOLE_HEADS = List.of(
            harmless("partial_rotary_factor", "not used by the default rope_type; others reject it"),
            harmless("rope_parameters.partial_rotary_factor", "not used by the default rope_type; others reject it"));

    /** The meaning of {@code attention_dropout}. */
    public static final String DROPOUT = "share of the attention probabilities that is dropped in training";

    private DecoderKeys() {}

    /** The table of a family with Llama's names and rotary positions, and keys of its own. */
    public static List<ConfigKey> likeLlama(ConfigKey... own) {
        return table(Stream.of(SHARED, LLAMA, Arrays.asList(own), ROTARY, WHOLE_HEADS, ConfigKey.TRANSFORMERS));
    }

    /** The table of a family with Llama's rotary positions and other names of the activation and the norm's {@code eps}. */
    public static List<ConfigKey> withRotary(ConfigKey... own) {
        return table(Stream.of(SHARED, Arrays.asList(own), ROTARY, WHOLE_HEADS, ConfigKey.TRANSFORMERS));
    }

    /** The keys of rotary positions that rotate a part of each head, and those of any model. */
    public static List<ConfigKey> partialRotary() {
        List<ConfigKey> part =
                List.of(honored("rope_parameters.partial_rotary_factor", "share of each head that is rotated"));
        return table(Stream.of(ROTARY.subList(1, ROTARY.size()), part, ConfigKey.TRANSFORMERS));
    }

    /** The table of a family with other keys of rotary positions. */
    public static List<ConfigKey> withoutRotary(ConfigKey... own) {
        return table(Stream.of(SHARED, Arrays.asList(own), ConfigKey.TRANSFORMERS));
    }

    private static List<ConfigKey> table(Stream<List<ConfigKey>> parts) {
        return parts.flatMap(List::stream).toList();
    }
}
