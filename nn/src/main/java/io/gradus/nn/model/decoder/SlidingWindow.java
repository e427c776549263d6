package io.gradus.nn.model.decoder;

import static io.gradus.nn.model.ConfigJson.require;

import io.gradus.nn.model.ConfigJson;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Sliding-window attention (Beltagy et al. 2020): in some layers, a token attends to the last {@code size} tokens only, itself
 * included.
 *
 * @param size the number of tokens, or 0 if no layer has a window
 * @param first the layer from which on every layer has a window
 * @param earlier the layers before it that have one too
 */
public record SlidingWindow(int size, int first, Set<Integer> earlier) {
    /** More layers than any model has, and few enough to list. */
    private static final int MOST_LAYERS = 10_000;

    private static final String WINDOWED = "sliding_attention";

    /** The second is an older name. */
    private static final List<String> FULL = List.of("full_attention", "attention");

    /** Every layer attends to all tokens before. */
    public static final SlidingWindow NONE = new SlidingWindow(0, 0, Set.of());

    public SlidingWindow {
        require(size >= 0, "sliding_window is " + size + "; it must be at least 1");
        earlier = Set.copyOf(earlier);
    }

    /**
     * The {@code sliding_window} of a configuration, or null if it is null.
     *
     * @param missing the size if the key is missing; null stands for none
     */
    public static @Nullable Integer size(ConfigJson json, @Nullable Integer missing) {
        if (!json.mentions("sliding_window")) {
            return missing;
        }
        if (!json.has("sliding_window")) {
            return null;
        }
        int size = json.integer("sliding_window");
        require(size > 0, "sliding_window is " + size + "; it must be at least 1");
        return size;
    }

    /** A window of the layers from an index on. */
    public static SlidingWindow from(int size, int first, int layers) {
        return first >= layers ? NONE : new SlidingWindow(size, Math.max(0, first), Set.of());
    }

    /**
     * A window of the layers that a condition selects.
     *
     * @throws IllegalArgumentException if there are layers with a window and no size, or more layers than any model has
     */
    public static SlidingWindow where(IntPredicate windowed, @Nullable Integer size, int layers) {
        requireFew(layers);
        return of(
                size,
                IntStream.range(0, layers)
                        .mapToObj(layer -> windowed.test(layer) ? WINDOWED : "full_attention")
                        .toList(),
                layers);
    }

    /** A window of the layers that are called {@code sliding_attention}. */
    public static SlidingWindow of(@Nullable Integer size, List<String> layerTypes, int layers) {
        require(
                layerTypes.size() == layers,
                "layer_types has " + layerTypes.size() + " entries, and num_hidden_layers is " + layers);
        for (String type : layerTypes) {
            require(
                    WINDOWED.equals(type) || FULL.contains(type),
                    "layer_types has '" + type + "'; supported are full_attention and sliding_attention");
        }
        if (!layerTypes.contains(WINDOWED)) {
            return NONE;
        }
        require(
                size != null,
                "layer_types has sliding_attention, and sliding_window is not set (or use_sliding_window is false)");
        int first = layers;
        while (first > 0 && layerTypes.get(first - 1).equals(WINDOWED)) {
            first--;
        }
        Set<Integer> earlier = new TreeSet<>();
        for (int layer = 0; layer < first; layer++) {
            if (layerTypes.get(layer).equals(WINDOWED)) {
                earlier.add(layer);
            }
        }
        return new SlidingWindow(Objects.requireNonNull(size), first, earlier);
    }

    /** @throws IllegalArgumentException if there are more layers than any model has, too many to look at each */
    public static void requireFew(int layers) {
        require(layers <= MOST_LAYERS, "num_hidden_layers is " + layers + "; it must be at most " + MOST_LAYERS);
    }

    /** Whether a layer has a window. */
    public boolean isOf(int layer) {
        return size > 0 && (layer >= first || earlier.contains(layer));
    }

    /** The window of a layer in tokens, or 0 if it has none. */
    public int sizeOf(int layer) {
        return isOf(layer) ? size : 0;
    }

    /** The value of {@code layer_types}. */
    public List<String> layerTypes(int layers) {
        return IntStream.range(0, layers)
                .mapToObj(layer -> isOf(layer) ? WINDOWED : "full_attention")
                .toList();
    }
}
