package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigJson.require;

import io.gradus.core.Tensor;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.model.LanguageModel.Input;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
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
    private static final String WINDOWED = "sliding_attention";

    /** The second is an older name. */
    private static final List<String> FULL = List.of("full_attention", "attention");

    /** Every layer attends to all tokens before. */
    public static final SlidingWindow NONE = new SlidingWindow(0, 0, Set.of());

    public SlidingWindow {
        require(size >= 0, "sliding_window is " + size + "; it must be at least 1");
        earlier = Set.copyOf(earlier);
    }

    /** A window of the layers from an index on. */
    static SlidingWindow from(int size, int first, int layers) {
        return first >= layers ? NONE : new SlidingWindow(size, Math.max(0, first), Set.of());
    }

    /** A window of the layers that are called {@code sliding_attention}. */
    static SlidingWindow of(@Nullable Integer size, List<String> layerTypes, int layers) {
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

    /** Whether a layer has a window. */
    boolean isOf(int layer) {
        return size > 0 && (layer >= first || earlier.contains(layer));
    }

    /** The value of {@code layer_types}. */
    List<String> layerTypes(int layers) {
        return IntStream.range(0, layers)
                .mapToObj(layer -> isOf(layer) ? WINDOWED : "full_attention")
                .toList();
    }

    /**
     * The input of the layers with a window: its {@link Input#documentStarts} are not before the window of a token. The input
     * itself if the text is not longer than the window.
     */
    Input limit(Input input) {
        KeyValueCache cache = input.cache();
        int cached = cache == null ? 0 : Math.toIntExact(cache.length());
        int length = Math.toIntExact(input.ids().shape().get(1));
        if (size == 0 || cached + length <= size) {
            return input;
        }
        Tensor ids = input.ids();
        Tensor documents = input.documentStarts();
        int[] starts = documents == null ? new int[Math.toIntExact(ids.size())] : documents.toInts();
        for (int i = 0; i < starts.length; i++) {
            starts[i] = Math.max(starts[i], cached + i % length - size + 1);
        }
        Tensor limited = Tensor.of(ids.device(), starts, ids.shape().toArray());
        return new Input(ids, input.positions(), input.attentionMask(), cache, limited);
    }
}
