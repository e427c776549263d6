package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Jinja's filters for lists and other values with items. As in Python, many of them compute each item when it is read. */
final class ListFilters {
    private ListFilters() {}

    // ---- items on demand ----

    /** Items that are computed when they are read; nothing happens before. */
    private static Generator lazily(Supplier<Iterator<Object>> items) {
        return new Generator(new Iterator<>() {
            private @Nullable Iterator<Object> begun;

            private Iterator<Object> begun() {
                Iterator<Object> result = begun == null ? items.get() : begun;
                begun = result;
                return result;
            }

            @Override
            public boolean hasNext() {
                return begun().hasNext();
            }

            @Override
            public Object next() {
                return begun().next();
            }
        });
    }

    /** Each item of an iterator, changed by a function, without those for which it returns null. */
    private static Iterator<Object> each(
            Iterator<Object> items, Function<Object, ? extends @Nullable Object> function) {
        return new Iterator<>() {
            private @Nullable Object next;

            @Override
            public boolean hasNext() {
                while (next == null && items.hasNext()) {
                    Limits.visit(1);
                    next = function.apply(items.next());
                }
                return next != null;
            }

            @Override
            public Object next() {
                if (!hasNext() || next == null) {
                    throw new NoSuchElementException();
                }
                Object result = next;
                next = null;
                return result;
            }
        };
    }

    // ---- attributes ----

    /** Reads an attribute such as {@code address.city} or {@code 0.name} of an item; {@code none} is the item itself. */
    private static Function<Object, Object> attribute(Object path, @Nullable Object usual) {
        List<Object> parts = parts(path);
        return item -> {
            Object value = item;
            for (Object part : parts) {
                value = Attributes.item(value, part);
                value = usual != null && value instanceof Undefined ? usual : value;
            }
            return value;
        };
    }

    private static List<Object> parts(Object path) {
        if (path == None.NONE) {
            return List.of();
        }
        if (!Values.isString(path)) {
            return List.of(path);
        }
        List<Object> parts = new ArrayList<>();
        for (String part : Values.text(path).split("\\.", -1)) {
            boolean number = !part.isEmpty() && part.chars().allMatch(Character::isDigit);
            parts.add(number ? new BigInteger(part) : part);
        }
        return parts;
    }

    private static Function<Object, Object> ignoringCase(Function<Object, Object> key, Object caseSensitive) {
        return Values.truth(caseSensitive)
                ? key
                : item -> {
                    Object value = key.apply(item);
                    return Values.isString(value) ? Slices.like(value, Cases.lower(Values.text(value))) : value;
                };
    }

    // ---- one item ----

    static Object first(Object value) {
        Iterator<Object> items = Values.iterate(value);
        return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
    }

    static Object last(Object value) {
        List<Object> items;
        if (Values.isString(value)) {
            items = Values.list(value);
        } else if (value instanceof Undefined) {
            items = List.of();
        } else {
            items = Values.itemsIfSized(value);
        }
        if (items == null) {
            throw TemplateException.type("'" + Values.typeName(value) + "' object is not reversible");
        }
        return items.isEmpty() ? new Undefined("No last item, sequence was empty.") : items.getLast();
    }

    /** The largest or smallest item. */
    static Object extreme(Object value, Object[] args, boolean largest) {
        Iterator<Object> items = Values.iterate(value);
        if (!items.hasNext()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Function<Object, Object> key = ignoringCase(attribute(args[1], null), args[0]);
        Object best = items.next();
        Object bestKey = key.apply(best);
        while (items.hasNext()) {
            Object item = items.next();
            Object itemKey = key.apply(item);
            if (Operators.compare(largest ? ">" : "<", itemKey, bestKey)) {
                best = item;
                bestKey = itemKey;
            }
        }
        return best;
    }

    static Object sum(Object value, Object[] args) {
        if (Values.isString(args[1])) {
            throw TemplateException.type("sum() can't sum strings [use ''.join(seq) instead]");
        }
        Function<Object, Object> key = attribute(args[0], null);
        Object total = args[1];
        Iterator<Object> items = Values.iterate(value);
        while (items.hasNext()) {
            total = Operators.binary("+", total, key.apply(items.next()));
        }
        return total;
    }

    static Object join(Object value, Object[] args) {
        Function<Object, Object> key = attribute(args[1], null);
        Iterator<Object> items = Values.iterate(value);
        String separator = Text.str(args[0]);
        StringBuilder out = new StringBuilder();
        for (boolean first = true; items.hasNext(); first = false) {
            out.append(first ? "" : separator).append(Text.str(key.apply(items.next())));
            Limits.requireCharacters(out.length());
        }
        return out.toString();
    }

    // ---- selection ----

    /** {@code select}, {@code reject}, {@code selectattr} and {@code rejectattr}. */
    static Object select(Object value, Arguments arguments, boolean keeps, boolean ofAttribute) {
        return lazily(() -> {
            if (!Values.truth(value)) {
                return Collections.emptyIterator();
            }
            List<Object> given = arguments.positional();
            if (ofAttribute && given.isEmpty()) {
                throw new TemplateException("FilterArgumentError", "Missing parameter for attribute name");
            }
            int skipped = ofAttribute ? 1 : 0;
            Function<Object, Object> key = attribute(ofAttribute ? given.getFirst() : None.NONE, null);
            boolean tested = given.size() > skipped;
            return each(Values.iterate(value), item -> {
                Object tried = key.apply(item);
                boolean holds = tested
                        ? Values.truth(Tests.apply(given.get(skipped), tried, arguments.after(skipped + 1)))
                        : Values.truth(tried);
                return holds == keeps ? item : null;
            });
        });
    }

    static Object unique(Object value, Object[] args) {
        return lazily(() -> {
            Function<Object, Object> key = ignoringCase(attribute(args[1], null), args[0]);
            Set<Object> seen = new HashSet<>();
            return each(Values.iterate(value), item -> seen.add(Dict.hashed(key.apply(item))) ? item : null);
        });
    }

    // ---- changed items ----

    static Object map(Object value, Arguments arguments) {
        return lazily(() -> {
            if (!Values.truth(value)) {
                return Collections.emptyIterator();
            }
            return each(Values.iterate(value), mapping(arguments));
        });
    }

    private static Function<Object, Object> mapping(Arguments arguments) {
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        Object path = arguments.positional().isEmpty() ? named.remove("attribute") : null;
        if (path != null) {
            Object usual = named.remove("default");
            for (String name : named.keySet()) {
                throw new TemplateException("FilterArgumentError", "Unexpected keyword argument " + Text.quoted(name));
            }
            return attribute(path, usual == None.NONE ? null : usual);
        }
        if (arguments.positional().isEmpty()) {
            throw new TemplateException("FilterArgumentError", "map requires a filter argument");
        }
        Object filter = arguments.positional().getFirst();
        return item -> Filters.apply(filter, item, arguments.after(1));
    }

    static Object items(Object value) {
        return lazily(() -> {
            if (value instanceof Undefined) {
                return Collections.emptyIterator();
            }
            if (!(value instanceof Dict dict)) {
                throw TemplateException.type("Can only get item pairs from a mapping.");
            }
            return new DictView(DictView.Kind.ITEMS, dict).items().iterator();
        });
    }

    static Object reverse(Object value) {
        if (Values.isString(value)) {
            return Slices.like(
                    value, new StringBuilder(Values.text(value)).reverse().toString());
        }
        List<Object> items = value instanceof Undefined ? List.of() : Values.itemsIfSized(value);
        if (items == null && Values.isIterable(value)) {
            return new ArrayList<>(Values.list(value).reversed());
        }
        if (items == null) {
            throw new TemplateException("FilterArgumentError", "argument must be iterable");
        }
        return new Generator(
                value instanceof List<?> ? "list_reverseiterator" : "reversed",
                items.reversed().iterator());
    }

    // ---- order ----

    static Object sort(Object value, Object[] args) {
        List<Function<Object, Object>> keys = new ArrayList<>();
        if (Values.isString(args[2])) {
            for (String path : Values.text(args[2]).split(",", -1)) {
                keys.add(ignoringCase(attribute(path, null), args[1]));
            }
        } else {
            keys.add(ignoringCase(attribute(args[2], null), args[1]));
        }
        return sorted(
                Values.list(value),
                item -> keys.stream().map(key -> key.apply(item)).toList(),
                Values.truth(args[0]));
    }

    private static List<Object> sorted(List<Object> items, Function<Object, Object> key, boolean descending) {
        record Keyed(Object key, Object item) {}
        List<Keyed> keyed = new ArrayList<>();
        items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
        Comparator<Keyed> order = Comparator.comparing(Keyed::key, Operators.ORDER);
        try {
            keyed.sort(descending ? order.reversed() : order);
        } catch (IllegalArgumentException e) {
            throw TemplateException.unsupported("the order of NaN");
        }
        return new ArrayList<>(keyed.stream().map(Keyed::item).toList());
    }

    static Object dictSort(Object value, Object[] args) {
        String by = Text.str(args[1]);
        if (!by.equals("key") && !by.equals("value")) {
            throw new TemplateException("FilterArgumentError", "You can only sort by either \"key\" or \"value\"");
        }
        if (value instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if (!(value instanceof Dict dict)) {
            throw new TemplateException(
                    "AttributeError", "'" + Values.typeName(value) + "' object has no attribute 'items'");
        }
        int part = by.equals("key") ? 0 : 1;
        Function<Object, Object> key =
                ignoringCase(item -> ((Tuple) item).items().get(part), args[0]);
        return sorted(new DictView(DictView.Kind.ITEMS, dict).items(), key, Values.truth(args[2]));
    }

    static Object groupBy(Object value, Object[] args) {
        Object usual = args[1] == None.NONE ? null : args[1];
        Function<Object, Object> real = attribute(args[0], usual);
        Function<Object, Object> key = ignoringCase(real, args[2]);
        List<Object> groups = new ArrayList<>();
        List<Object> group = new ArrayList<>();
        Object groupKey = null;
        for (Object item : sorted(Values.list(value), key, false)) {
            Object itemKey = key.apply(item);
            if (groupKey == null || !Operators.equal(groupKey, itemKey)) {
                group = new ArrayList<>();
                groups.add(new Tuple(List.of(real.apply(item), group), List.of("grouper", "list")));
            }
            groupKey = itemKey;
            group.add(item);
        }
        return groups;
    }

    // ---- groups of a size ----

    static Object batch(Object value, Object[] args) {
        return lazily(() -> {
            int size = Numbers.count(args[0]);
            List<Object> batches = new ArrayList<>();
            List<Object> batch = new ArrayList<>();
            for (Object item : Values.list(value)) {
                if (batch.size() == size) {
                    batches.add(batch);
                    batch = new ArrayList<>();
                }
                batch.add(item);
            }
            if (!batch.isEmpty()) {
                Limits.requireItems(args[1] == None.NONE ? 0 : size);
                while (args[1] != None.NONE && batch.size() < size) {
                    batch.add(args[1]);
                }
                batches.add(batch);
            }
            return batches.iterator();
        });
    }

    static Object slice(Object value, Object[] args) {
        return lazily(() -> {
            List<Object> items = Values.list(value);
            int count = Numbers.count(args[0]);
            if (count == 0) {
                throw new TemplateException("ZeroDivisionError", "integer division or modulo by zero");
            }
            Limits.requireItems(count);
            int each = Math.floorDiv(items.size(), count);
            int longer = Math.floorMod(items.size(), count);
            List<Object> slices = new ArrayList<>();
            int at = 0;
            for (int i = 0; i < count; i++) {
                int size = each + (i < longer ? 1 : 0);
                List<Object> slice = new ArrayList<>(items.subList(at, at + size));
                if (args[1] != None.NONE && i >= longer) {
                    slice.add(args[1]);
                }
                slices.add(slice);
                at += size;
            }
            return slices.iterator();
        });
    }
}
