package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigJson.require;

import io.gradus.nn.model.ConfigJson;
import org.jspecify.annotations.Nullable;

/**
 * The rotary positions of a configuration.
 *
 * @param theta the base of the frequencies
 * @param scaling of the frequencies, or null
 */
record Rope(double theta, @Nullable RopeScaling scaling) {

    /**
     * Reads {@code rope_scaling}, which comes first unless it is empty, or {@code rope_parameters}; and the keys that may be
     * outside of these.
     *
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    static Rope read(ConfigJson json, int headDim, int maxPositionEmbeddings) {
        ConfigJson older = json.object("rope_scaling");
        ConfigJson rope = older.isEmpty() ? json.object("rope_parameters") : older;
        rope.requireNotNull("rope_type", "type", "rope_theta", "low_freq_factor", "high_freq_factor", "truncate");
        double theta = rope.number("rope_theta", json.number("rope_theta", 10_000));
        String type = rope.text("rope_type", rope.text("type", "default"));
        double partial = rope.number("partial_rotary_factor", json.number("partial_rotary_factor", 1));
        double original = json.number(
                "original_max_position_embeddings",
                rope.number("original_max_position_embeddings", maxPositionEmbeddings));
        require(
                type.equals("default") || (int) (headDim * partial) == headDim,
                "partial_rotary_factor is " + partial + " and rope_type is '" + type
                        + "', which rotates whole heads only");
        if (type.equals("llama3") || type.equals("yarn")) {
            rope.requireNotNull("original_max_position_embeddings");
        }
        RopeScaling scaling = switch (type) {
            case "default" -> null;
            case "linear" -> new RopeScaling.Linear(rope.number("factor"));
            case "dynamic" -> dynamic(rope, headDim);
            case "llama3" ->
                new RopeScaling.Llama3(
                        rope.number("factor"),
                        rope.number("low_freq_factor"),
                        rope.number("high_freq_factor"),
                        original);
            case "yarn" -> yarn(rope, original, maxPositionEmbeddings);
            default ->
                throw new IllegalArgumentException(ConfigJson.FILE + ": rope_type is '" + type
                        + "'; supported are default, linear, dynamic, llama3 and yarn");
        };
        require(!type.equals("yarn") || theta != 1, "rope_theta is 1, with which yarn is not defined");
        return new Rope(theta, scaling);
    }

    private static RopeScaling dynamic(ConfigJson rope, int headDim) {
        require(headDim > 2, "head_dim is " + headDim + "; rope_type dynamic needs more");
        return new RopeScaling.Dynamic(rope.number("factor"));
    }

    private static RopeScaling yarn(ConfigJson rope, double original, int maxPositionEmbeddings) {
        require(rope.mentions("factor"), "rope_type is 'yarn', and its factor is missing");
        double factor = rope.number("factor", maxPositionEmbeddings / original);
        double scale = rope.number("mscale", 0);
        double scaleAll = rope.number("mscale_all_dim", 0);
        double attention =
                scale != 0 && scaleAll != 0 ? sharper(factor, scale) / sharper(factor, scaleAll) : sharper(factor, 1);
        return new RopeScaling.Yarn(
                factor,
                original,
                rope.number("attention_factor", attention),
                numberOr(rope, "beta_fast", 32),
                numberOr(rope, "beta_slow", 1),
                rope.flag("truncate", true));
    }

    /** Equation 22 of YaRN, without its root. */
    private static double sharper(double factor, double scale) {
        return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
    }

    /** A number; as in transformers, 0 is the default too. */
    private static double numberOr(ConfigJson rope, String key, double fallback) {
        double number = rope.number(key, fallback);
        return number == 0 ? fallback : number;
    }
}
