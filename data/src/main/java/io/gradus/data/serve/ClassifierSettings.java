package io.gradus.data.serve;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.data.ExampleEncoder.Truncation;
import io.gradus.nn.model.ConfigJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * How a classifier reads texts and how sure it is: {@value #FILE} of its folder. Other programs do not need the file.
 *
 * @param maxLength the most tokens of a text, special ones included
 * @param truncation of longer texts
 * @param temperature by which logits are divided before they become probabilities
 */
public record ClassifierSettings(int maxLength, Truncation truncation, double temperature) {
    /** The name of the file. */
    public static final String FILE = "classifier.json";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int USUAL_LENGTH = 512;

    public ClassifierSettings {
        if (maxLength < 1) {
            throw new IllegalArgumentException("max_length is " + maxLength + "; it must be at least 1");
        }
        if (!(temperature > 0 && Double.isFinite(temperature))) {
            throw new IllegalArgumentException("temperature is " + temperature + "; it must be above 0");
        }
    }

    /**
     * Reads the settings of a folder. A folder of another program has none: then texts are cut after 512 tokens, or those that
     * the model can read, and the temperature is 1.
     *
     * @param contextLength the most tokens that the model can read
     * @throws IOException if the file is malformed; the message names it
     */
    public static ClassifierSettings read(Path folder, int contextLength) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return new ClassifierSettings(Math.min(USUAL_LENGTH, contextLength), Truncation.HEAD, 1);
        }
        return ConfigJson.read(file, json -> {
            String kind = json.text("truncation", "");
            Truncation truncation = Arrays.stream(Truncation.values())
                    .filter(each -> each.toString().equals(kind))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "truncation is '" + kind + "'; it must be one of " + Arrays.toString(Truncation.values())));
            int length = json.size("max_length");
            if (length > contextLength) {
                throw new IllegalArgumentException(
                        "max_length is " + length + ", and the model reads at most " + contextLength + " tokens");
            }
            return new ClassifierSettings(length, truncation, json.number("temperature"));
        });
    }

    /** Writes the file. */
    public void write(Path folder) throws IOException {
        String json = JSON.writerWithDefaultPrettyPrinter()
                .writeValueAsString(JSON.createObjectNode()
                        .put("max_length", maxLength)
                        .put("truncation", truncation.toString())
                        .put("temperature", temperature));
        AtomicFile.write(folder.resolve(FILE), json + "\n");
    }
}
