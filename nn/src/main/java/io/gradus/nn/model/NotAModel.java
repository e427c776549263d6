package io.gradus.nn.model;

import io.gradus.core.safetensors.OtherFormat;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Errors for paths that do not lead to a model's folder: they say what is there and what to do. */
final class NotAModel {
    /** What a model on the Hugging Face Hub is called, or its address there. */
    private static final Pattern HUB_NAME = Pattern.compile(
            "(?:(?:https?:/+)?(?:huggingface\\.co|hf\\.co)/|hf:/+)?([A-Za-z0-9][\\w.-]*(?:/[A-Za-z0-9][\\w.-]*)?)/?");

    private static final String FIX =
            "; name a Hugging Face folder with config.json, model.safetensors and tokenizer.json";

    private static final String ADAPTER = "adapter_config.json";

    private NotAModel() {}

    /** @throws IOException unless the path is a folder with a model's configuration and without an adapter */
    static void requireNot(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            throw new IOException("model " + path + (Files.exists(path) ? file(path) : missing(path)));
        }
        boolean weights = Files.exists(path.resolve(SafetensorsCheckpoint.SINGLE))
                || Files.exists(path.resolve(SafetensorsCheckpoint.INDEX));
        boolean adapter = Files.exists(path.resolve(ADAPTER));
        if (adapter) {
            throw new IOException("model " + path
                    + (weights
                            ? " has " + ADAPTER
                                    + " besides a model's weights, and transformers would apply that adapter"
                            : " is a PEFT adapter (LoRA or the like) of " + base(path.resolve(ADAPTER))
                                    + " without that" + " model's weights")
                    + "; merge the two in Python with peft: AutoPeftModelForCausalLM"
                    + ".from_pretrained(folder).merge_and_unload().save_pretrained(new_folder)"
                    + (weights ? ", or delete " + ADAPTER + " to use the model without it" : ""));
        }
        if (!Files.exists(path.resolve(ConfigJson.FILE))) {
            throw new IOException(
                    "model " + path + ": " + OtherFormat.explain(path).orElse("it has no " + ConfigJson.FILE + FIX));
        }
    }

    /** The model that an adapter belongs to. */
    private static String base(Path adapter) {
        try {
            return ConfigJson.read(adapter).text("base_model_name_or_path", "another model");
        } catch (IOException | IllegalArgumentException e) {
            return "another model";
        }
    }

    private static String file(Path path) {
        String name = path.toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".gguf")) {
            return " is a GGUF file of llama.cpp, which cannot be trained" + FIX;
        }
        return " is not a folder" + FIX;
    }

    private static String missing(Path path) throws IOException {
        if (Files.isSymbolicLink(path)) {
            return " is a symbolic link to " + Files.readSymbolicLink(path) + ", which is missing" + FIX;
        }
        Matcher hub = HUB_NAME.matcher(path.toString().replace('\\', '/'));
        if (!hub.matches()) {
            return " is missing" + FIX;
        }
        String name = hub.group(1);
        String folder = name.substring(name.indexOf('/') + 1);
        return " is missing" + FIX + ". To use the model of that name from the Hugging Face Hub, download it first:"
                + " hf download " + name + " --local-dir " + folder;
    }
}
