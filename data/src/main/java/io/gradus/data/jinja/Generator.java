package io.gradus.data.jinja;

import java.util.Iterator;

/**
 * Items that can be read once, such as the result of the filter {@code map}.
 *
 * @param typeName its type in Python
 */
record Generator(String typeName, Iterator<Object> items) {

    Generator(Iterator<Object> items) {
        this("generator", items);
    }
}
