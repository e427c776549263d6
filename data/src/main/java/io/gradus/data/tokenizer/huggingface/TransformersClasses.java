package io.gradus.data.tokenizer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Selects the class with which transformers 5 loads a tokenizer, as its {@code AutoTokenizer} does: by {@code tokenizer_class} in
 * {@code tokenizer_config.json} or {@code config.json}, and by {@code model_type}. Most classes ignore parts of {@code
 * tokenizer.json}. The table comes from transformers.
 */
final class TransformersClasses {
    /** The class that uses {@code tokenizer.json} as it is. */
    static final String BACKEND = "TokenizersBackend";

    private static final String TABLE = "transformers-classes.json";
    private static final JsonNode JSON = table();

    private TransformersClasses() {}

    private static JsonNode table() {
        try (InputStream table = TransformersClasses.class.getResourceAsStream(TABLE)) {
            return new ObjectMapper().readTree(table);
        } catch (IOException e) {
            throw new UncheckedIOException(TABLE, e);
        }
    }

    /** The version of transformers that has these classes. */
    static String version() {
        return JSON.path("version").asText();
    }

    /**
     * The name of the class for a folder, without {@code Fast}.
     *
     * @throws IOException if a file is malformed, or the class is code in the folder
     */
    static String of(TokenizerFiles files) throws IOException {
        JsonNode config = files.json(TokenizerFiles.TOKENIZER_CONFIG);
        JsonNode model = files.json(TokenizerFiles.CONFIG);
        String type = model.path("model_type").asText("");
        String declared = text(config, "tokenizer_class");
        String named = declared == null ? text(model, "tokenizer_class") : declared;
        String registered = text(JSON.path("model_types"), type);
        boolean isWrong = JSON.path("model_types_with_wrong_class")
                .valueStream()
                .anyMatch(t -> t.asText().equals(type));
        boolean hasOwnCode =
                config.path("auto_map").isArray() || config.path("auto_map").hasNonNull("AutoTokenizer");

        if (hasOwnCode && registered == null && (declared == null || !isKnown(declared))) {
            throw new IOException(files.path(TokenizerFiles.TOKENIZER_CONFIG)
                    + ": auto_map says that the tokenizer is code in the folder, which Gradus does not run; save it with"
                    + " transformers as a tokenizer.json");
        }
        if (!hasOwnCode && named != null) {
            if (base(named).equals("LlamaTokenizer") && !isWrong && mentionsByteLevel(files)) {
                return BACKEND;
            }
            if (registered != null && !base(registered).equals(base(named))) {
                return base(registered).equals(BACKEND) ? BACKEND : find(isWrong ? registered : named);
            }
        }
        if (named != null) {
            return find(named);
        }
        return registered == null ? BACKEND : find(registered);
    }

    private static @Nullable String text(JsonNode object, String key) {
        JsonNode value = object.path(key);
        return value.isTextual() && !value.textValue().isEmpty() ? value.textValue() : null;
    }

    private static String base(String name) {
        return name.endsWith("Fast") ? name.substring(0, name.length() - "Fast".length()) : name;
    }

    private static boolean isKnown(String name) {
        return JSON.path("classes").has(name) || JSON.path("classes").has(base(name));
    }

    /** A class that transformers does not know is replaced. */
    private static String find(String name) {
        JsonNode classes = JSON.path("classes");
        return classes.path(name).asText(classes.path(base(name)).asText(BACKEND));
    }

    private static boolean mentionsByteLevel(TokenizerFiles files) {
        byte[] content = files.contents().getOrDefault(TokenizerFiles.TOKENIZER, new byte[0]);
        return new String(content, StandardCharsets.UTF_8).contains("\"ByteLevel\"");
    }
}
