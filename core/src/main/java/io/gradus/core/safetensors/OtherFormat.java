package io.gradus.core.safetensors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Recognizes folders of other formats by their file names, so that an error can say what a folder is and what to do. */
public final class OtherFormat {
    /** How to convert a pickle to safetensors. */
    static final String CONVERT = "convert it in Python with transformers: "
            + "AutoModelForCausalLM.from_pretrained(folder).save_pretrained(new_folder, safe_serialization=True)";

    private static final String ORIGINAL = "; use the original model, in the safetensors format";

    /** The files of a format, and what the error says after their name. */
    private record Format(Pattern files, String explanation) {
        Format(String files, String explanation) {
            this(Pattern.compile(files), explanation);
        }
    }

    /** The most specific first: a folder may have the files of several formats. */
    private static final List<Format> FORMATS = List.of(
            new Format(
                    "adapter_(config\\.json|model\\..*)",
                    ": it is a PEFT adapter, such as LoRA, without its base model; merge the two in Python with peft:"
                            + " AutoPeftModelForCausalLM.from_pretrained(folder).merge_and_unload()"
                            + ".save_pretrained(new_folder)"),
            new Format("model_index\\.json", ": it is a diffusers pipeline, which is not a language model"),
            new Format(
                    ".*\\.(incomplete|part|crdownload|aria2)",
                    ": a download was interrupted; download the model again"),
            new Format(
                    "(?!consolidated).*-\\d+-of-\\d+\\.safetensors",
                    ", a shard, but lacks " + SafetensorsCheckpoint.INDEX
                            + ", which lists the shards; download that too"),
            new Format(
                    "consolidated.*|params\\.json",
                    ", the format of Meta's and Mistral's own programs; use the version of the model for transformers"),
            new Format("openvino.*", ", the OpenVINO format, which cannot be trained" + ORIGINAL),
            new Format(
                    "modules\\.json|config_sentence_transformers\\.json",
                    ": it is a sentence-transformers model, which computes embeddings and does not generate text"),
            new Format(
                    ".*\\.gguf",
                    ", the format of llama.cpp" + ORIGINAL + ", or convert it in Python with transformers:"
                            + " AutoModelForCausalLM.from_pretrained(folder, gguf_file=name).save_pretrained(new_folder)"),
            new Format("onnx|.*\\.onnx(_data)?", ", the ONNX format, which cannot be trained" + ORIGINAL),
            new Format(
                    "(?!training_args|optimizer|scheduler|rng_state|scaler).*\\.(bin|pt|pth|ckpt|pkl)(\\.index\\.json)?",
                    ", but only safetensors are read, because a pickle can run code; " + CONVERT),
            new Format(
                    ".*\\.(h5|msgpack|ot|npz|nemo|mlmodel|mlpackage|engine|tflite|ckpt\\.index)",
                    ", the format of another program" + ORIGINAL));

    private OtherFormat() {}

    /**
     * What a folder holds instead of the files that were expected, and what to do; nothing if that is unknown.
     *
     * @param folder a folder that lacks {@code config.json} or weights
     */
    public static Optional<String> explain(Path folder) throws IOException {
        List<String> names = names(folder);
        if (names.isEmpty()) {
            return Optional.of("it is empty; check the path, or whether the download is complete");
        }
        for (String name : names) {
            Path file = folder.resolve(name);
            if (Files.isSymbolicLink(file) && !Files.exists(file)) {
                return Optional.of(name + " is a symbolic link to " + Files.readSymbolicLink(file)
                        + ", which is missing; download the model again");
            }
        }
        for (Format format : FORMATS) {
            for (String name : names) {
                if (format.files().matcher(name.toLowerCase(Locale.ROOT)).matches()) {
                    return Optional.of("it has " + name + format.explanation());
                }
            }
        }
        return inner(folder).map(model -> "it has a model in " + model + "; name that folder");
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
        }
    }

    /** The last folder inside with a configuration, such as {@code checkpoint-500} or {@code snapshots/1a2b}. */
    private static Optional<Path> inner(Path folder) throws IOException {
        List<Path> inside = new ArrayList<>();
        for (Path parent : List.of(folder, folder.resolve("snapshots"))) {
            for (String name : Files.isDirectory(parent) ? names(parent) : List.<String>of()) {
                inside.add(parent.resolve(name));
            }
        }
        return inside.stream()
                .filter(inner -> Files.isRegularFile(inner.resolve("config.json")))
                .max(Comparator.comparingInt((Path inner) -> inner.toString().length())
                        .thenComparing(Comparator.naturalOrder()));
    }
}
