package io.gradus.nn.model.llama;

import static io.gradus.nn.model.ConfigJson.require;

import io.gradus.core.Tensor;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.model.LanguageModel.Input;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Sliding-window attention (Beltagy et al. 2020): in some layers, a token attends to the last {@code size} tokens only, itself
 * included.
 *
 * @param size the number of tokens, or 0 if no layer has a window
 * @param layers the indices of the layers with a window
 */
public record SlidingWindow(int size, Set<Integer> layers) {
    /** Every layer attends to all tokens before. */
    public static final SlidingWindow NONE = new SlidingWindow(0, Set.of());

    public SlidingWindow {
        require(size > 0 || layers.isEmpty(), "sliding_window is " + size + "; it must be at least 1");
        layers = Set.copyOf(layers);
    }

    /** A window of the layers from an index on. */
    static SlidingWindow from(int size, int first, int layers) {
        Set<Integer> windowed = new TreeSet<>();
        IntStream.range(Math.max(0, first), layers).forEach(windowed::add);
        return windowed.isEmpty() ? NONE : new SlidingWindow(size, windowed);
    }

    /** A window of the layers that are called {@code sliding_attention}. */
    static SlidingWindow of(@Nullable Integer size, List<String> layerTypes, int layers) {
        require(
                layerTypes.size() == layers,
                "layer_types has " + layerTypes.size() + " entries, and num_hidden_layers is " + layers);
        Set<Integer> windowed = new TreeSet<>();
        for (int layer = 0; layer < layers; layer++) {
            switch (layerTypes.get(layer)) {
                case "sliding_attention" -> windowed.add(layer);
                case "full_attention", "attention" -> {}
                default ->
                    require(
                            false,
                            "layer_types has '" + layerTypes.get(layer)
                                    + "'; supported are full_attention and sliding_attention");
            }
        }
        require(
                size != null || windowed.isEmpty(),
                "layer_types has sliding_attention, and sliding_window is not set (or use_sliding_window is false)");
        return size == null || windowed.isEmpty() ? NONE : new SlidingWindow(size, windowed);
    }

    /**
     * The input of the layers with a window: its {@link Input#documentStarts} are not before the window of a token. The input
     * itself if the text is not longer than the window.
     */
    Input limit(Input input) {
        KeyValueCache cache = input.cache();
        int cached = cache == null ? 0 : Math.toIntExact(cache.length());
        int length = Math.toIntExact(input.ids().shape().get(1));
        if (layers.isEmpty() || cached + length <= size) {
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
