package io.gradus.data.jinja;

import java.util.List;
import java.util.Map;

/**
 * The arguments of a call.
 *
 * @param named in their order
 */
record Arguments(List<Object> positional, Map<String, Object> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    static Arguments of(Object... positional) {
        return new Arguments(List.of(positional), Map.of());
    }

    /** The arguments after the first positional ones. */
    Arguments after(int count) {
        return new Arguments(positional.subList(count, positional.size()), named);
    }
}
