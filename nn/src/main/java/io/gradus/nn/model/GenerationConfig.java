package io.gradus.nn.model;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.WholeFile;
import io.gradus.core.safetensors.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A model's {@code generation_config.json}, which tells programs that generate text where to stop. The file is copied byte by
 * byte, unless a token must be added to {@code eos_token_id}. A model without the file stops where {@code config.json} says.
 */
final class GenerationConfig {
    static final String FILE = "generation_config.json";

    private static final String STOPS = "eos_token_id";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path folder;
    private final @Nullable String text;
    private final ObjectNode model;

    private GenerationConfig(Path folder, @Nullable String text, ObjectNode model) {
        this.folder = folder;
        this.text = text;
        this.model = model;
    }

    /** Reads the file of a model's folder, if there is one. */
    static GenerationConfig read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        JsonNode config = MAPPER.readTree(folder.resolve(ConfigJson.FILE).toFile());
        return new GenerationConfig(
                folder,
                Files.isRegularFile(file) ? WholeFile.text(file) : null,
                config instanceof ObjectNode object ? object : MAPPER.createObjectNode());
    }

    /**
     * Writes the file, with more tokens at which generation stops.
     *
     * @throws IOException if the file of the model is malformed, or the new one cannot be written
     */
    void write(Set<Integer> stops, Path target) throws IOException {
        ObjectNode settings = settings();
        Set<Integer> all = new LinkedHashSet<>();
        JsonNode known = settings.path(STOPS);
        (known.isArray() ? known : List.of(known)).forEach(id -> {
            if (id.canConvertToInt()) {
                all.add(id.intValue());
            }
        });
        if (all.addAll(stops)) {
            ArrayNode ids = MAPPER.createArrayNode();
            all.forEach(ids::add);
            settings.set(STOPS, all.size() == 1 ? ids.get(0) : ids);
            AtomicFile.write(
                    target.resolve(FILE),
                    MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(settings) + "\n");
        } else if (text != null) {
            AtomicFile.write(target.resolve(FILE), text);
        }
    }

    /** The settings of the file; without one, those of the model that transformers puts into it. */
    private ObjectNode settings() throws IOException {
        if (text != null) {
            try {
                if (MAPPER.readTree(text) instanceof ObjectNode object) {
                    return object;
                }
                throw new IOException(folder.resolve(FILE) + ": it is not a JSON object; download or copy it again");
            } catch (JacksonException e) {
                throw new IOException(folder.resolve(FILE) + ": it is not JSON; download or copy it again", e);
            }
        }
        ObjectNode settings = MAPPER.createObjectNode();
        for (String name : List.of("bos_token_id", STOPS, "pad_token_id")) {
            JsonNode value = model.path(name);
            if (!value.isMissingNode() && !value.isNull()) {
                settings.set(name, value);
            }
        }
        return settings;
    }
}
