package io.gradus.nn.model;

import io.gradus.nn.Activation;
import java.util.Map;
import java.util.TreeMap;

/** The names of activation functions in {@code config.json}. */
public final class Activations {
    private static final Map<String, Activation> BY_NAME = new TreeMap<>(Map.ofEntries(
            Map.entry("gelu", Activation.GELU),
            Map.entry("gelu_10", Activation.CLIPPED_GELU),
            Map.entry("gelu_accurate", Activation.GELU_TANH),
            Map.entry("gelu_fast", Activation.GELU_TANH),
            Map.entry("gelu_new", Activation.GELU_TANH),
            Map.entry("gelu_python", Activation.GELU),
            Map.entry("gelu_python_tanh", Activation.GELU_TANH),
            Map.entry("gelu_pytorch_tanh", Activation.GELU_TANH),
            Map.entry("hardswish", Activation.HARDSWISH),
            Map.entry("leaky_relu", Activation.LEAKY_RELU),
            Map.entry("linear", Activation.IDENTITY),
            Map.entry("mish", Activation.MISH),
            Map.entry("quick_gelu", Activation.QUICK_GELU),
            Map.entry("relu", Activation.RELU),
            Map.entry("relu2", Activation.RELU_SQUARED),
            Map.entry("relu6", Activation.RELU6),
            Map.entry("sigmoid", Activation.SIGMOID),
            Map.entry("silu", Activation.SILU),
            Map.entry("swish", Activation.SILU),
            Map.entry("tanh", Activation.TANH)));

    private Activations() {}

    /**
     * The activation under a key of a configuration.
     *
     * @param fallback the name if the key is missing
     * @throws IllegalArgumentException if the name is unknown; lists the known ones
     */
    public static Activation read(ConfigJson json, String key, String fallback) {
        String name = json.text(key, fallback);
        Activation activation = BY_NAME.get(name);
        if (activation == null) {
            throw new IllegalArgumentException(ConfigJson.FILE + ": " + key + " is '" + name + "'; supported are "
                    + String.join(", ", BY_NAME.keySet()));
        }
        return activation;
    }

    /** A name of an activation that every version of transformers knows. */
    public static String name(Activation activation) {
        return switch (activation) {
            case GELU_TANH -> "gelu_new";
            case SILU -> "silu";
            case GELU -> "gelu";
            default ->
                BY_NAME.entrySet().stream()
                        .filter(entry -> entry.getValue() == activation)
                        .map(Map.Entry::getKey)
                        .findFirst()
                        .orElseThrow();
        };
    }
}
