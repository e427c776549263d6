package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Attributes and items of values, as Jinja's immutable sandbox gives access to them. */
final class Attributes {
    private static final Set<String> CHANGE_LIST =
            Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
    private static final Set<String> CHANGE_DICT = Set.of("clear", "pop", "popitem", "setdefault", "update");
    /** The attributes of every Python object, all of which the sandbox hides. */
    private static final Set<String> OF_OBJECTS = Set.of(
            "__class__",
            "__delattr__",
            "__dir__",
            "__doc__",
            "__eq__",
            "__format__",
            "__ge__",
            "__getattribute__",
            "__getstate__",
            "__gt__",
            "__hash__",
            "__init__",
            "__init_subclass__",
            "__le__",
            "__lt__",
            "__ne__",
            "__new__",
            "__reduce__",
            "__reduce_ex__",
            "__repr__",
            "__setattr__",
            "__sizeof__",
            "__str__",
            "__subclasshook__",
            "__len__",
            "__getitem__",
            "__iter__",
            "__contains__",
            "__add__",
            "__mul__",
            "__mod__",
            "__globals__",
            "__call__",
            "__dict__",
            "__module__");

    private Attributes() {}

    /** {@code object.name}: an attribute, or else an item. */
    static Object attribute(Object object, String name) {
        if (object instanceof Undefined undefined) {
            throw undefined.exception();
        }
        Object found = own(object, name);
        if (found == null) {
            found = itemOrNull(object, name);
        }
        return found == null ? Undefined.of(object, name) : found;
    }

    /** {@code object[key]}: an item, or else an attribute. */
    static Object item(Object object, Object key) {
        if (object instanceof Undefined undefined) {
            throw undefined.exception();
        }
        Object found = itemOrNull(object, key);
        if (found == null && Values.isString(key)) {
            found = own(object, Values.text(key));
        }
        return found == null ? Undefined.of(object, key) : found;
    }

    /** An attribute of the object itself; null if Python's object has none of this name. */
    static @Nullable Object own(Object object, String name) {
        boolean changes = object instanceof List<?> && CHANGE_LIST.contains(name)
                || object instanceof Dict && CHANGE_DICT.contains(name);
        if (changes || OF_OBJECTS.contains(name) && !(object instanceof Namespace)) {
            return Undefined.unsafe(object, name);
        }
        return switch (object) {
            case String _, Markup _ ->
                StringMethods.exists(name)
                        ? new Method(object, name, args -> StringMethods.call(object, name, args))
                        : null;
            case List<?> list -> sequenceMethod(list, Values.cast(list), name);
            case Tuple tuple -> {
                int index = tuple.names().indexOf(name);
                yield index >= 0 ? tuple.items().get(index) : sequenceMethod(tuple, tuple.items(), name);
            }
            case Range range ->
                switch (name) {
                    case "start" -> BigInteger.valueOf(range.start());
                    case "stop" -> BigInteger.valueOf(range.stop());
                    case "step" -> BigInteger.valueOf(range.step());
                    default -> sequenceMethod(range, range.items(), name);
                };
            case Dict dict -> dictMethod(dict, name);
            case DictView view -> name.equals("mapping") ? view.dict() : null;
            case Boolean _, BigInteger _, Double _ -> ofNumber(object, name);
            case Namespace namespace -> namespace.attributes().get(name);
            case LoopContext loop -> loop.attribute(name);
            case Macro macro -> macro.attribute(name);
            case Globals.Cycler cycler -> cycler.attribute(name);
            default -> null;
        };
    }

    private static @Nullable Object itemOrNull(Object object, Object key) {
        if (object instanceof Dict dict) {
            return Dict.isHashable(key) ? dict.get(key) : null;
        }
        if (!Numbers.isInteger(key)) {
            return null;
        }
        if (Values.isString(object)) {
            String text = Values.text(object);
            int length = Characters.length(text);
            int index = index(key, length);
            if (index < 0) {
                return null;
            }
            int at = text.offsetByCodePoints(0, index);
            return Slices.like(object, Character.toString(text.codePointAt(at)));
        }
        List<Object> items = object instanceof DictView ? null : Values.itemsIfSized(object);
        if (items == null) {
            return null;
        }
        int index = index(key, items.size());
        return index < 0 ? null : items.get(index);
    }

    /** The place of an item counted from either end; negative if it does not exist. */
    private static int index(Object key, int length) {
        long index = Numbers.count(key);
        long place = index < 0 ? index + length : index;
        return place >= 0 && place < length ? (int) place : -1;
    }

    // ---- methods ----

    /** A method of an object. */
    record Method(Object of, String name, Callable body) implements Callable {
        @Override
        public Object call(Arguments arguments) {
            return body.call(arguments);
        }

        @Override
        public String typeName() {
            return "builtin_function_or_method";
        }
    }

    private static @Nullable Object sequenceMethod(Object object, List<Object> items, String name) {
        return switch (name) {
            case "count" ->
                new Method(object, name, args -> {
                    Object wanted = Signature.of(name, "value, /").bind(args)[0];
                    return BigInteger.valueOf(items.stream()
                            .filter(item -> Operators.equal(item, wanted))
                            .count());
                });
            case "index" -> new Method(object, name, args -> indexOf(object, items, args));
            case "copy" -> object instanceof List<?> ? new Method(object, name, _ -> new ArrayList<>(items)) : null;
            default -> null;
        };
    }

    private static Object indexOf(Object object, List<Object> items, Arguments arguments) {
        Object[] values = Signature.of("index", "value, start=0, stop=9223372036854775807, /")
                .bind(arguments);
        int from = place(Numbers.count(values[1]), items.size());
        int to = place(Numbers.count(values[2]), items.size());
        for (int i = from; i < to; i++) {
            if (Operators.equal(items.get(i), values[0])) {
                return BigInteger.valueOf(i);
            }
        }
        String what =
                object instanceof List<?> ? Text.repr(values[0]) + " is not in list" : "tuple.index(x): x not in tuple";
        throw TemplateException.value(what);
    }

    private static int place(int index, int length) {
        return Math.clamp(index < 0 ? (long) index + length : index, 0, length);
    }

    private static @Nullable Object dictMethod(Dict dict, String name) {
        Callable body = switch (name) {
            case "get" ->
                args -> {
                    Object[] values = Signature.of(name, "key, default=none, /").bind(args);
                    Object found = dict.get(values[0]);
                    return found == null ? values[1] : found;
                };
            case "items" -> args -> view(DictView.Kind.ITEMS, dict, args);
            case "keys" -> args -> view(DictView.Kind.KEYS, dict, args);
            case "values" -> args -> view(DictView.Kind.VALUES, dict, args);
            case "copy" ->
                _ -> {
                    Dict copy = new Dict();
                    copy.putAll(dict);
                    return copy;
                };
            case "fromkeys" -> Globals::fromKeys;
            default -> null;
        };
        return body == null ? null : new Method(dict, name, body);
    }

    private static Object view(DictView.Kind kind, Dict dict, Arguments arguments) {
        Signature.of(kind.typeName, "").bind(arguments);
        return new DictView(kind, dict);
    }

    private static @Nullable Object ofNumber(Object number, String name) {
        boolean real = number instanceof Double;
        return switch (name) {
            case "real" -> real ? number : Numbers.integer(number);
            case "imag" -> real ? (Object) 0.0 : BigInteger.ZERO;
            case "numerator" -> real ? null : Numbers.integer(number);
            case "denominator" -> real ? null : BigInteger.ONE;
            case "is_integer" ->
                real ? new Method(number, name, _ -> (Double) number == Math.rint((Double) number)) : null;
            case "bit_length" ->
                real
                        ? null
                        : new Method(
                                number,
                                name,
                                _ -> BigInteger.valueOf(
                                        Numbers.integer(number).abs().bitLength()));
            case "conjugate" -> new Method(number, name, _ -> number);
            case "as_integer_ratio", "bit_count", "from_bytes", "to_bytes", "fromhex", "hex" ->
                throw TemplateException.unsupported("the method " + name + " of numbers");
            default -> null;
        };
    }

    /** Unpacks a value into a number of targets. */
    static List<Object> unpack(Object value, int count) {
        if (!Values.isIterable(value)) {
            throw TemplateException.type("cannot unpack non-iterable " + Values.typeName(value) + " object");
        }
        List<Object> items = new ArrayList<>(count);
        Iterator<Object> rest = Values.iterate(value);
        while (rest.hasNext() && items.size() < count) {
            items.add(rest.next());
        }
        if (rest.hasNext()) {
            throw TemplateException.value("too many values to unpack (expected " + count + ")");
        }
        if (items.size() < count) {
            throw TemplateException.value(
                    "not enough values to unpack (expected " + count + ", got " + items.size() + ")");
        }
        return items;
    }
}
