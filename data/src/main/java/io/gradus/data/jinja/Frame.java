package io.gradus.data.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables of a part of a template while it is rendered. */
final class Frame {
    /** The value of a variable that has none. */
    private static final Object MISSING = new Object();

    private final @Nullable Frame parent;
    private final Map<String, Object> values;

    /**
     * Enters a scope.
     *
     * @param passed finds the variables passed to the template
     */
    Frame(Scope scope, @Nullable Frame parent, Map<String, Object> passed) {
        this.parent = parent;
        this.values = HashMap.newHashMap(scope.variables().size());
        scope.variables()
                .forEach((name, start) -> values.put(
                        name,
                        switch (start) {
                            case PASSED -> passed.getOrDefault(name, MISSING);
                            case OUTER -> parent == null ? MISSING : parent.find(name);
                            case PARAMETER, UNDEFINED -> MISSING;
                        }));
    }

    private Object find(String name) {
        for (Frame frame = this; frame != null; frame = frame.parent) {
            Object value = frame.values.get(name);
            if (value != null) {
                return value;
            }
        }
        return MISSING;
    }

    /** The value of a variable. */
    Object get(String name) {
        Object value = find(name);
        return value == MISSING ? Undefined.variable(name) : value;
    }

    /** Whether a variable has a value in this scope. */
    boolean has(String name) {
        Object value = values.get(name);
        return value != null && value != MISSING;
    }

    void set(String name, Object value) {
        values.put(name, value);
    }

    /** All variables that have a value, here and outside. */
    Map<String, Object> all() {
        Map<String, Object> all = parent == null ? new HashMap<>() : parent.all();
        values.forEach((name, value) -> {
            if (value != MISSING) {
                all.put(name, value);
            }
        });
        return all;
    }
}
