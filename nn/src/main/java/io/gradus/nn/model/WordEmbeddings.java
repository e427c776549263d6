package io.gradus.nn.model;

import io.gradus.core.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * The two weights that have a row for each token.
 *
 * @param table the name of the embedding table
 * @param head the name of the output layer's weight
 * @param tied whether the two are one parameter, which then has the name of the table
 */
public record WordEmbeddings(String table, String head, boolean tied) {

    /** The names of tensors in a checkpoint, in which a tied weight may have either name. */
    UnaryOperator<String> tensorNames(UnaryOperator<String> names, Predicate<String> inCheckpoint) {
        boolean onlyHead = tied && !inCheckpoint.test(names.apply(table)) && inCheckpoint.test(names.apply(head));
        return onlyHead ? name -> names.apply(name.equals(table) ? head : name) : names;
    }

    /** Whether a checkpoint has both weights, and they have different values. */
    boolean differ(SafetensorsCheckpoint checkpoint, UnaryOperator<String> names) throws IOException {
        String first = names.apply(table);
        String second = names.apply(head);
        return checkpoint.contains(first) && checkpoint.contains(second) && !checkpoint.haveSameValues(first, second);
    }

    /** Whether a checkpoint has the embedding table only, although the two are different weights. */
    boolean lacksHead(SafetensorsCheckpoint checkpoint, UnaryOperator<String> names) {
        return !tied && checkpoint.contains(names.apply(table)) && !checkpoint.contains(names.apply(head));
    }
}
