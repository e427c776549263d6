package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What all Python values have in common. Values are represented by these Java classes: {@link None}, {@code Boolean},
 * {@code BigInteger}, {@code Double}, {@code String} or {@link Markup}, {@code List}, {@link Tuple}, {@link Dict},
 * {@link DictView}, {@link Range}, {@link Generator}, {@link Undefined}, {@link Namespace}, {@link Callable} and
 * {@link LoopContext}.
 */
final class Values {
    private Values() {}

    /**
     * Converts a Java value: null, a boolean, a number, a string, a list or a map.
     *
     * @throws IllegalArgumentException if it is something else
     */
    static Object from(@Nullable Object value) {
        return switch (value) {
            case null -> None.NONE;
            case Boolean truth -> truth;
            case BigInteger number -> number;
            case Integer number -> BigInteger.valueOf(number);
            case Long number -> BigInteger.valueOf(number);
            case Double number -> number;
            case String text -> text;
            case List<?> list -> {
                List<Object> items = new ArrayList<>(list.size());
                list.forEach(item -> items.add(from(item)));
                yield items;
            }
            case Map<?, ?> map -> Dict.from(map);
            default -> throw new IllegalArgumentException("a template cannot read a " + value.getClass());
        };
    }

    static boolean isString(Object value) {
        return value instanceof String || value instanceof Markup;
    }

    /** The characters of a string. */
    static String text(Object string) {
        return string instanceof Markup markup ? markup.text() : (String) string;
    }

    static String typeName(Object value) {
        return switch (value) {
            case None _ -> "NoneType";
            case Boolean _ -> "bool";
            case BigInteger _ -> "int";
            case Double _ -> "float";
            case String _ -> "str";
            case Markup _ -> "Markup";
            case List<?> _ -> "list";
            case Tuple _ -> "tuple";
            case Dict _ -> "dict";
            case DictView view -> view.kind().typeName;
            case Range _ -> "range";
            case Generator generator -> generator.typeName();
            case Undefined _ -> "Undefined";
            case Namespace _ -> "TemplateNamespace";
            case Globals.Cycler _ -> "Cycler";
            case Callable callable -> callable.typeName();
            default -> throw new IllegalStateException("not a value: " + value.getClass());
        };
    }

    /** The type as the messages of undefined values name it. */
    static String qualifiedTypeName(Object value) {
        return switch (value) {
            case None _ -> "None";
            case Markup _ -> "markupsafe.Markup object";
            case LoopContext _, Macro _ -> "jinja2.runtime." + typeName(value) + " object";
            case Globals.Cycler _ -> "jinja2.utils.Cycler object";
            case Namespace _ ->
                "transformers.utils.chat_template_utils._cached_compile_jinja_template.<locals>.TemplateNamespace"
                        + " object";
            default -> typeName(value) + " object";
        };
    }

    static boolean truth(Object value) {
        return switch (value) {
            case None _, Undefined _ -> false;
            case Boolean truth -> truth;
            case BigInteger number -> number.signum() != 0;
            case Double number -> number != 0;
            case String text -> !text.isEmpty();
            case Markup markup -> !markup.text().isEmpty();
            case List<?> list -> !list.isEmpty();
            case Tuple tuple -> !tuple.items().isEmpty();
            case Dict dict -> dict.size() > 0;
            case DictView view -> view.dict().size() > 0;
            case Range range -> range.size() > 0;
            case LoopContext loop -> loop.length() > 0;
            default -> true;
        };
    }

    static int length(Object value) {
        return switch (value) {
            case String text -> Characters.length(text);
            case Markup markup -> Characters.length(markup.text());
            case LoopContext loop -> loop.length();
            case Undefined _ -> 0;
            default -> {
                List<Object> items = itemsIfSized(value);
                if (items == null) {
                    throw TemplateException.type("object of type '" + typeName(value) + "' has no len()");
                }
                yield items.size();
            }
        };
    }

    /** The items of a collection that has a length; null for other values, among them strings. */
    static @Nullable List<Object> itemsIfSized(Object value) {
        return switch (value) {
            case List<?> list -> cast(list);
            case Tuple tuple -> tuple.items();
            case Dict dict -> dict.keys();
            case DictView view -> view.items();
            case Range range -> range.items();
            default -> null;
        };
    }

    /** A Python list. */
    @SuppressWarnings("unchecked") // every list here holds values
    static List<Object> cast(List<?> list) {
        return (List<Object>) list;
    }

    /** Whether {@link #iterate} succeeds. */
    static boolean isIterable(Object value) {
        return isString(value)
                || value instanceof Generator
                || value instanceof Undefined
                || value instanceof LoopContext
                || itemsIfSized(value) != null;
    }

    /**
     * The items of a value.
     *
     * @throws TemplateException if it has none
     */
    static Iterator<Object> iterate(Object value) {
        return switch (value) {
            case String text -> characters(text).iterator();
            case Markup markup -> characters(markup.text()).iterator();
            case Generator generator -> generator.items();
            case Undefined _ -> Collections.emptyIterator();
            case LoopContext loop -> loop;
            default -> {
                List<Object> items = itemsIfSized(value);
                if (items == null) {
                    throw TemplateException.type("'" + typeName(value) + "' object is not iterable");
                }
                yield counted(items.iterator());
            }
        };
    }

    private static Iterator<Object> counted(Iterator<Object> items) {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return items.hasNext();
            }

            @Override
            public Object next() {
                Limits.visit(1);
                return items.next();
            }
        };
    }

    /** The items of a value as a new list. */
    static List<Object> list(Object value) {
        List<Object> items = new ArrayList<>();
        Iterator<Object> iterator = iterate(value);
        while (iterator.hasNext()) {
            items.add(iterator.next());
            Limits.requireItems(items.size());
        }
        return items;
    }

    private static List<Object> characters(String text) {
        Limits.requireItems(text.length());
        List<Object> characters = new ArrayList<>(text.length());
        text.codePoints().forEach(c -> characters.add(Character.toString(c)));
        return characters;
    }
}
