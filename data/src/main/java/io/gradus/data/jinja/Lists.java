package io.gradus.data.jinja;

import java.util.ArrayList;
import java.util.List;

/** Lists of anything. */
final class Lists {
    private Lists() {}

    static <T> List<T> concat(List<? extends T> first, List<? extends T> second) {
        List<T> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }
}
