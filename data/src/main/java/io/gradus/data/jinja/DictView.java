package io.gradus.data.jinja;

import java.util.ArrayList;
import java.util.List;

/** What {@code dict.keys()}, {@code dict.values()} and {@code dict.items()} return. */
record DictView(Kind kind, Dict dict) {

    enum Kind {
        KEYS("dict_keys"),
        VALUES("dict_values"),
        ITEMS("dict_items");

        final String typeName;

        Kind(String typeName) {
            this.typeName = typeName;
        }
    }

    List<Object> items() {
        List<Object> items = new ArrayList<>(dict.size());
        for (Dict.Entry entry : dict.entries()) {
            items.add(
                    switch (kind) {
                        case KEYS -> entry.key();
                        case VALUES -> entry.value();
                        case ITEMS -> Tuple.of(entry.key(), entry.value());
                    });
        }
        return items;
    }
}
