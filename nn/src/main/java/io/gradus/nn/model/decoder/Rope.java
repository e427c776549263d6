package io.gradus.nn.model.decoder;

import static io.gradus.nn.model.ConfigJson.require;

import io.gradus.nn.model.ConfigJson;
import org.jspecify.annotations.Nullable;

/**
 * The rotary positions of a configuration (Su et al. 2021).
 *
 * @param theta the base of the frequencies
 * @param scaling of the frequencies, or null
 * @param dims D, the first elements of a head that are rotated; the others do not know the position. Of an odd number, as in
 *     transformers, one more is rotated
 */
public record Rope(double theta, @Nullable RopeScaling scaling, int dims) {
    private static final double THETA = 10_000;

    public Rope {
        require(theta > 0 && Double.isFinite(theta), "rope_theta is " + theta);
    }

    /** Reads positions that rotate whole heads, with a base of 10,000 if there is none. */
    public static Rope read(ConfigJson json, int headDim, int maxPositionEmbeddings) {
        return read(json, headDim, maxPositionEmbeddings, THETA);
    }

    /**
     * Reads positions that rotate whole heads: {@code rope_scaling}, which comes first unless it is empty, or
     * {@code rope_parameters}; and the keys that may be outside of these.
     *
     * @param missingTheta the base of the frequencies if there is none
     * @throws IllegalArgumentException if a key is missing, malformed or not supported
     */
    public static Rope read(ConfigJson json, int headDim, int maxPositionEmbeddings, double missingTheta) {
        ConfigJson rope = object(json);
        double theta = rope.number("rope_theta", json.number("rope_theta", missingTheta));
        requireWhole(json, rope, headDim);
        double original = json.number("original_max_position_embeddings", original(rope, maxPositionEmbeddings));
        return whole(rope, theta, headDim, original, maxPositionEmbeddings);
    }

    /** Reads positions of one kind of layers, which rotate whole heads, from an object of their own. */
    public static Rope ofLayers(
            ConfigJson json, ConfigJson rope, int headDim, int maxPositionEmbeddings, double missingTheta) {
        requireNotNull(rope);
        requireWhole(json, rope, headDim);
        double theta = rope.number("rope_theta", missingTheta);
        return whole(rope, theta, headDim, original(rope, maxPositionEmbeddings), maxPositionEmbeddings);
    }

    /**
     * Reads positions that rotate the first part of each head.
     *
     * @param missingTheta the base of the frequencies if the object has none
     * @param missingFactor the part if the object has none
     */
    public static Rope partial(
            ConfigJson json, int headDim, int maxPositionEmbeddings, double missingTheta, double missingFactor) {
        ConfigJson rope = object(json);
        double factor = rope.number("partial_rotary_factor", missingFactor);
        require(factor > 0 && factor <= 1, "the rotary factor is " + factor + "; it must be above 0 and at most 1");
        double theta = rope.number("rope_theta", missingTheta);
        double original = json.number("original_max_position_embeddings", original(rope, maxPositionEmbeddings));
        int dims = (int) (headDim * factor);
        require(
                2 * ((dims + 1) / 2) <= headDim && dims > 0,
                "head_dim is " + headDim + " and the rotary factor " + factor
                        + ", which leaves no pairs of elements to rotate");
        return new Rope(theta, scaling(rope, theta, dims, original, maxPositionEmbeddings), dims);
    }

    /** The object of rotary positions, with keys that must not be null. */
    private static ConfigJson object(ConfigJson json) {
        ConfigJson older = json.object("rope_scaling");
        ConfigJson rope = older.isEmpty() ? json.object("rope_parameters") : older;
        requireNotNull(rope);
        return rope;
    }

    private static void requireNotNull(ConfigJson rope) {
        rope.requireNotNull("rope_type", "type", "rope_theta", "low_freq_factor", "high_freq_factor", "truncate");
    }

    private static void requireWhole(ConfigJson json, ConfigJson rope, int headDim) {
        double partial = rope.number("partial_rotary_factor", json.number("partial_rotary_factor", 1));
        require(
                type(rope).equals("default") || (int) (headDim * partial) == headDim,
                "partial_rotary_factor is " + partial + " and rope_type is '" + type(rope)
                        + "', which rotates whole heads only");
    }

    private static String type(ConfigJson rope) {
        return rope.text("rope_type", rope.text("type", "default"));
    }

    private static double original(ConfigJson rope, int maxPositionEmbeddings) {
        return rope.number("original_max_position_embeddings", maxPositionEmbeddings);
    }

    private static Rope whole(ConfigJson rope, double theta, int headDim, double original, int maxPositionEmbeddings) {
        require(headDim % 2 == 0, "head_dim is " + headDim + "; rotary positions need an even one");
        return new Rope(theta, scaling(rope, theta, headDim, original, maxPositionEmbeddings), headDim);
    }

    private static @Nullable RopeScaling scaling(
            ConfigJson rope, double theta, int dims, double original, int maxPositionEmbeddings) {
        String type = type(rope);
        if (type.equals("llama3") || type.equals("yarn")) {
            rope.requireNotNull("original_max_position_embeddings");
        }
        require(!type.equals("yarn") || theta != 1, "rope_theta is 1, with which yarn is not defined");
        return switch (type) {
            case "default" -> null;
            case "linear" -> new RopeScaling.Linear(rope.number("factor"));
            case "dynamic" -> dynamic(rope, dims);
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

    /** The largest number of tokens in a text that has the frequencies of a short one; see {@link RopeScaling#sameUpTo}. */
    public long sameUpTo() {
        return scaling == null ? Long.MAX_VALUE : scaling.sameUpTo();
    }

    /** The number of pairs of elements that are rotated. */
    int pairs() {
        return (dims + 1) / 2;
    }

    /** The share of a head that is rotated, in the precision that gives {@link #dims} of it. */
    public double factor(int headDim) {
        double factor = dims / (double) headDim;
        return (int) (factor * headDim) < dims ? Math.nextUp(factor) : factor;
    }

    /** The value of {@code rope_parameters}, in the spelling of transformers 5. */
    public ConfigJson toJson() {
        ConfigJson json = scaling == null ? new ConfigJson().set("rope_type", "default") : scaling.toJson();
        return json.set("rope_theta", theta);
    }

    /** Sets {@code rope_theta}, and {@code rope_scaling} if there is any. */
    public ConfigJson write(ConfigJson json) {
        json.set("rope_theta", theta);
        return scaling == null ? json : json.set("rope_scaling", scaling.toJson());
    }
}
