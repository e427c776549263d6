package io.gradus.nn.model.encoder;

import static io.gradus.nn.model.ConfigJson.require;
import static io.gradus.nn.model.ConfigKey.harmless;
import static io.gradus.nn.model.ConfigKey.rejected;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ConfigKey;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The keys of {@code config.json} that encoders share, for the tables of their families. */
public final class EncoderKeys {
    private static final List<ConfigKey> SHARED = Stream.concat(
                    Stream.of(
                            harmless("initializer_range", "of new weights"),
                            rejected("is_decoder", false, "attention to earlier tokens only is not supported"),
                            rejected(
                                    "position_embedding_type",
                                    "absolute",
                                    "relative positions of old versions of transformers are not supported")),
                    ConfigKey.TRANSFORMERS.stream()
                            .map(key -> key.name().equals("is_causal")
                                    ? harmless("is_causal", "encoders of transformers do not read it")
                                    : key))
            .toList();

    private EncoderKeys() {}

    /** The table of a family. */
    public static List<ConfigKey> table(ConfigKey... own) {
        return Stream.concat(Arrays.stream(own), SHARED.stream()).toList();
    }

    /**
     * The {@code pad_token_id}. A negative index counts from the end, as in PyTorch.
     *
     * @param missing the id if the key is missing
     * @return null if the key is null
     */
    public static @Nullable Integer padding(ConfigJson json, int missing) {
        int vocabulary = json.size("vocab_size");
        if (json.mentions("pad_token_id") && !json.has("pad_token_id")) {
            return null;
        }
        int id = json.integer("pad_token_id", missing);
        require(
                id >= -vocabulary && id < vocabulary,
                "pad_token_id is " + id + (json.has("pad_token_id") ? "" : " by default") + ", and vocab_size is "
                        + vocabulary + "; set it to null if no row of the embedding table is for padding");
        return id < 0 ? id + vocabulary : id;
    }

    /** Requires that each head has as many elements. */
    public static void requireHeads(String hiddenKey, int hidden, String headsKey, int heads) {
        require(
                heads > 0 && hidden % heads == 0,
                hiddenKey + " is " + hidden + ", which is not a multiple of " + headsKey + ", " + heads);
    }
}
