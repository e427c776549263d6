package io.gradus.train.delta;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Groups changes by the parts of a model: first the embeddings, then the layers by number, then the rest.
 */
final class LayerNames {
    /** An optional model prefix, and the first number of the rest. */
    private static final Pattern LAYER = Pattern.compile("(?:model\\.|transformer\\.|bert\\.)?(.*?\\.(\\d+))\\..*");

    private static final Pattern MODULE = Pattern.compile("(?:model\\.|transformer\\.|bert\\.)?(.*?)\\.[^.]+");
    private static final Pattern EMBEDDING = Pattern.compile(".*(embed|wte|wpe).*");

    private LayerNames() {}

    private record Place(int part, String stack, int number, String name) {
        static Place of(String tensor) {
            Matcher layer = LAYER.matcher(tensor);
            if (layer.matches() && layer.group(2).length() <= 9) {
                String name = layer.group(1);
                String stack = name.substring(0, name.length() - layer.group(2).length());
                return new Place(1, stack, Integer.parseInt(layer.group(2)), name);
            }
            Matcher module = MODULE.matcher(tensor);
            int part = EMBEDDING.matcher(tensor).matches() ? 0 : 2;
            return new Place(part, "", 0, module.matches() ? module.group(1) : tensor);
        }
    }

    private static List<TensorDelta> ordered(List<TensorDelta> tensors) {
        List<TensorDelta> ordered = new ArrayList<>(tensors);
        ordered.sort(Comparator.comparing(
                tensor -> Place.of(tensor.name()),
                Comparator.comparingInt(Place::part).thenComparing(Place::stack).thenComparingInt(Place::number)));
        return ordered;
    }

    static SequencedMap<String, Change> byTensor(List<TensorDelta> tensors) {
        SequencedMap<String, Change> changes = new LinkedHashMap<>();
        ordered(tensors).forEach(tensor -> changes.put(tensor.name(), tensor.change()));
        return changes;
    }

    static SequencedMap<String, Change> byLayer(List<TensorDelta> tensors) {
        SequencedMap<String, Change> changes = new LinkedHashMap<>();
        for (TensorDelta tensor : ordered(tensors)) {
            changes.merge(Place.of(tensor.name()).name(), tensor.change(), Change::plus);
        }
        return changes;
    }
}
