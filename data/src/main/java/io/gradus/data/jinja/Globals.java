package io.gradus.data.jinja;

import java.math.BigInteger;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template can call: Jinja's, and those that transformers adds. */
final class Globals {
    private Globals() {}

    /** The functions by name. */
    static Map<String, Object> functions(LocalDateTime time) {
        Map<String, Object> functions = new HashMap<>();
        functions.put("range", (Callable) Range::of);
        functions.put("dict", (Callable) Globals::dict);
        functions.put("namespace", (Callable) arguments -> new Namespace(dict(arguments)));
        functions.put("cycler", (Callable) Cycler::new);
        functions.put("joiner", (Callable) Globals::joiner);
        functions.put("lipsum", (Callable) _ -> {
            throw TemplateException.unsupported("the function lipsum");
        });
        functions.put("raise_exception", (Callable) Globals::raise);
        functions.put("strftime_now", (Callable) arguments -> {
            Object format = Signature.of("strftime_now", "format").bind(arguments)[0];
            if (!Values.isString(format)) {
                throw TemplateException.type("strftime() argument 1 must be str, not " + Values.typeName(format));
            }
            return Dates.format(Values.text(format), time);
        });
        return functions;
    }

    private static Object raise(Arguments arguments) {
        throw new TemplateException(
                "TemplateError",
                Text.str(Signature.of("raise_exception", "message").bind(arguments)[0]));
    }

    private static Dict dict(Arguments arguments) {
        Dict dict = new Dict();
        List<Object> given = arguments.positional();
        if (given.size() > 1) {
            throw TemplateException.type("dict expected at most 1 argument, got " + given.size());
        }
        if (!given.isEmpty()) {
            addAll(given.getFirst(), dict);
        }
        arguments.named().forEach(dict::put);
        return dict;
    }

    private static void addAll(Object source, Dict dict) {
        if (source instanceof Dict other) {
            dict.putAll(other);
            return;
        }
        Iterator<Object> pairs = Values.iterate(source);
        for (int i = 0; pairs.hasNext(); i++) {
            Object pair = pairs.next();
            if (!Values.isIterable(pair)) {
                throw TemplateException.type(
                        "cannot convert dictionary update sequence element #" + i + " to a sequence");
            }
            List<Object> parts = Values.list(pair);
            if (parts.size() != 2) {
                throw TemplateException.value(
                        "dictionary update sequence element #" + i + " has length " + parts.size() + "; 2 is required");
            }
            dict.put(parts.get(0), parts.get(1));
        }
    }

    /** {@code dict.fromkeys}. */
    static Object fromKeys(Arguments arguments) {
        Object[] values = Signature.of("fromkeys", "iterable, value=none, /").bind(arguments);
        Dict dict = new Dict();
        Iterator<Object> keys = Values.iterate(values[0]);
        while (keys.hasNext()) {
            dict.put(keys.next(), values[1]);
        }
        return dict;
    }

    /** A function that returns an empty text when it is called first, and a separator afterwards. */
    private static Object joiner(Arguments arguments) {
        Object given = Signature.of("Joiner", "sep=none").bind(arguments)[0];
        Object separator = given == None.NONE ? ", " : given;
        boolean[] used = {false};
        return (Callable) _ -> {
            Object result = used[0] ? separator : "";
            used[0] = true;
            return result;
        };
    }

    /** Values in turn. */
    static final class Cycler {
        private final List<Object> items;
        private int place;

        Cycler(Arguments arguments) {
            items = arguments.positional();
            if (items.isEmpty()) {
                throw new TemplateException("RuntimeError", "at least one item has to be provided");
            }
        }

        /** An attribute; null if there is none of this name. */
        @Nullable Object attribute(String name) {
            return switch (name) {
                case "items" -> new Tuple(items);
                case "pos" -> BigInteger.valueOf(place);
                case "current" -> items.get(place);
                case "reset" ->
                    (Callable) _ -> {
                        place = 0;
                        return None.NONE;
                    };
                case "next" ->
                    (Callable) _ -> {
                        Object current = items.get(place);
                        place = (place + 1) % items.size();
                        return current;
                    };
                default -> null;
            };
        }
    }
}
