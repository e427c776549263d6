package io.gradus.nn.model.encoder;

import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * The names of an encoder's tensors in a checkpoint. A checkpoint of the bare network has them without the prefix of the family,
 * one with a head has the prefix, and either may be loaded as the other.
 *
 * @param prefix of the network's parameters in a model with a head, such as {@code bert.}
 * @param table the name of the embedding table, without the prefix
 * @param parts how the names of the network's own parameters begin, without the prefix
 */
public record TensorNames(String prefix, String table, List<String> parts) {

    /** Maps names of parameters to those in a checkpoint. */
    public UnaryOperator<String> in(Predicate<String> checkpoint) {
        if (checkpoint.test(table)) {
            return name -> name.startsWith(prefix) ? name.substring(prefix.length()) : name;
        }
        if (checkpoint.test(prefix + table)) {
            return name -> isOfNetwork(name) ? prefix + name : name;
        }
        return UnaryOperator.identity();
    }

    private boolean isOfNetwork(String name) {
        return parts.stream().anyMatch(name::startsWith);
    }
}
