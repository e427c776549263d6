package io.gradus.nn.model;

import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Recognizes weights that are stored as small integers with scales, or in a form that only another program can undo. */
final class Quantization {
    /** Keys of config.json: of transformers, of older versions of compressed-tensors, and of MLX. */
    static final List<String> KEYS = List.of("quantization_config", "compression_config", "quantization");

    private static final Set<String> FLOATS = Set.of("F64", "F32", "BF16", "F16");
    private static final String FIX =
            "; quantized weights cannot be trained: use the original model, or let the program"
                    + " that quantized it write it in BF16";

    /** The tensors that a method adds to the weights. */
    private record Method(String name, Pattern tensors) {
        Method(String name, String suffixes) {
            this(name, Pattern.compile(".*\\.(" + suffixes + ")"));
        }
    }

    private static final List<Method> METHODS = List.of(
            new Method("GPTQ or AWQ", "qweight|qzeros|g_idx"),
            new Method(
                    "bitsandbytes",
                    "SCB|weight_format|absmax|quant_map|nested_absmax|nested_quant_map|quant_state\\..*"),
            new Method(
                    "compressed-tensors or FP8",
                    "weight_scale|weight_scale_inv|weight_packed|weight_zero_point|input_scale"),
            new Method("MLX", "scales|biases"));

    private Quantization() {}

    /** @throws IllegalArgumentException if the configuration says that the weights are quantized */
    static void requireNone(ConfigJson json) {
        for (String key : KEYS) {
            if (json.has(key)) {
                ConfigJson.require(false, key + " is set, by " + method(json.object(key)) + FIX);
            }
        }
    }

    private static String method(ConfigJson settings) {
        boolean bitsAndBytes = settings.has("load_in_4bit") || settings.has("load_in_8bit");
        boolean mlx = settings.has("group_size") && settings.has("bits");
        return settings.text("quant_method", bitsAndBytes ? "bitsandbytes" : mlx ? "MLX" : "another program");
    }

    /** @throws IOException if the names and dtypes of the tensors say that they are quantized */
    static void requireNone(SafetensorsCheckpoint checkpoint) throws IOException {
        boolean integers = checkpoint.entries().stream().anyMatch(entry -> !FLOATS.contains(entry.dtype()));
        for (Entry entry : integers ? checkpoint.entries() : List.<Entry>of()) {
            for (Method method : METHODS) {
                if (method.tensors().matcher(entry.name()).matches()) {
                    throw new IOException(checkpoint.path() + " is quantized by " + method.name() + " (it has "
                            + entry.name() + ")" + FIX);
                }
            }
        }
    }
}
