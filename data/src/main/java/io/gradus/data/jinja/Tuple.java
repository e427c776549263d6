package io.gradus.data.jinja;

import java.util.List;

/**
 * A Python tuple.
 *
 * @param names of the items of a named tuple; empty for others
 */
record Tuple(List<Object> items, List<String> names) {

    Tuple(List<Object> items) {
        this(items, List.of());
    }

    static Tuple of(Object... items) {
        return new Tuple(List.of(items));
    }
}
