package io.gradus.nn.model;

import io.gradus.core.Shape;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A size in {@code config.json} that the tensors of a checkpoint also show. Comparing the two needs only the header of the file,
 * so a wrong size is reported by its key before a network of that size is built.
 */
public sealed interface ConfigSize {
    /** More layers than any model has, and few enough to build. */
    int FEW = 1000;

    /**
     * The number of layers. Their parameters begin with the prefix and the layer's index.
     *
     * @param key in {@code config.json}
     * @param value of the key
     * @param prefix such as {@code model.layers.}
     */
    record Layers(String key, int value, String prefix) implements ConfigSize {}

    /**
     * The length of an axis of a parameter.
     *
     * @param key in {@code config.json}, or several that are multiplied, such as {@code n_head × head_dim}
     * @param value of the key, or the product
     * @param parameter the name of the parameter
     * @param axis from 0
     */
    record Axis(String key, long value, String parameter, int axis) implements ConfigSize {}

    /**
     * Compares the sizes of a configuration with the shapes in a checkpoint. A tensor that is missing is not compared.
     *
     * @param config the file that the configuration comes from
     * @throws IOException with the key, its value and what the checkpoint has, for each size that differs
     */
    static void require(
            List<ConfigSize> sizes, SafetensorsCheckpoint checkpoint, UnaryOperator<String> tensorNames, Path config)
            throws IOException {
        List<String> problems = new ArrayList<>();
        for (ConfigSize size : sizes) {
            Optional<String> problem = switch (size) {
                case Layers layers -> problem(layers, checkpoint, tensorNames.apply(layers.prefix));
                case Axis axis -> problem(axis, checkpoint, tensorNames.apply(axis.parameter));
            };
            problem.ifPresent(problems::add);
        }
        if (!problems.isEmpty()) {
            throw new IOException(config + ": " + String.join(System.lineSeparator() + "  ", problems));
        }
    }

    private static Optional<String> problem(Layers layers, SafetensorsCheckpoint checkpoint, String prefix) {
        List<String> names = checkpoint.names();
        int found = count(names, prefix);
        boolean otherNames = found == 0 && layers.value <= names.size() + FEW; // a list of those says more
        return otherNames || found == layers.value
                ? Optional.empty()
                : Optional.of(layers.key + " is " + layers.value + ", but "
                        + checkpoint.path().getFileName() + " has " + found + (found == 1 ? " layer" : " layers"));
    }

    /** The number of layers by the highest index. An index that is too high for the number of tensors does not count. */
    private static int count(List<String> names, String prefix) {
        BitSet indices = new BitSet();
        for (String name : names) {
            int end = name.startsWith(prefix) ? name.indexOf('.', prefix.length()) : -1;
            String index = end < 0 ? "" : name.substring(prefix.length(), end);
            if (index.matches("[0-9]{1,9}") && Integer.parseInt(index) < names.size()) {
                indices.set(Integer.parseInt(index));
            }
        }
        return indices.length();
    }

    private static Optional<String> problem(Axis axis, SafetensorsCheckpoint checkpoint, String tensor)
            throws SafetensorsException {
        if (!checkpoint.contains(tensor)) {
            return Optional.empty();
        }
        Shape shape = checkpoint.entry(tensor).shape();
        if (shape.rank() > axis.axis && shape.get(axis.axis) == axis.value) {
            return Optional.empty();
        }
        return Optional.of(axis.key + " is " + axis.value + ", but " + tensor + " in "
                + checkpoint.path().getFileName() + " is " + shape
                + (shape.rank() > axis.axis ? ", so " + shape.get(axis.axis) + " is needed" : ""));
    }
}
