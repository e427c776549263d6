package io.gradus.data.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A Python dict, in which {@code 1}, {@code 1.0} and {@code true} are the same key. */
final class Dict {
    private final Map<Object, Entry> entries = new LinkedHashMap<>();
    private final @Nullable Map<?, ?> source;

    /** A key with its value. */
    record Entry(Object key, Object value) {}

    Dict() {
        this(null);
    }

    private Dict(@Nullable Map<?, ?> source) {
        this.source = source;
    }

    /** Converts a map. */
    static Dict from(Map<?, ?> map) {
        Dict dict = new Dict(map);
        map.forEach((key, value) -> dict.put(Values.from(key), Values.from(value)));
        return dict;
    }

    /** The map that was passed to the template, if this dict is one. */
    @Nullable Map<?, ?> source() {
        return source;
    }

    void put(Object key, Object value) {
        Object hashed = hashed(key);
        Entry old = entries.get(hashed);
        entries.put(hashed, new Entry(old == null ? key : old.key, value));
    }

    void putAll(Dict other) {
        other.entries().forEach(entry -> put(entry.key, entry.value));
    }

    @Nullable Object get(Object key) {
        Entry entry = entries.get(hashed(key));
        return entry == null ? null : entry.value;
    }

    boolean contains(Object key) {
        return entries.containsKey(hashed(key));
    }

    int size() {
        return entries.size();
    }

    Collection<Entry> entries() {
        return entries.values();
    }

    List<Object> keys() {
        List<Object> keys = new ArrayList<>(entries.size());
        entries.values().forEach(entry -> keys.add(entry.key));
        return keys;
    }

    /** Whether a value can be a key. */
    static boolean isHashable(Object key) {
        return switch (key) {
            case Tuple tuple -> tuple.items().stream().allMatch(Dict::isHashable);
            case List<?> _, Dict _, DictView _ -> false;
            default -> true;
        };
    }

    /** Equal for two keys exactly if they are the same key. */
    static Object hashed(Object key) {
        Limits.visit(1);
        Limits.read(key);
        return switch (key) {
            case Boolean truth -> truth ? BigInteger.ONE : BigInteger.ZERO;
            case Double number ->
                Double.isFinite(number) && number == Math.rint(number) ? new BigDecimal(number).toBigInteger() : number;
            case Markup markup -> markup.text();
            case Tuple tuple -> tuple.items().stream().map(Dict::hashed).toList();
            case Undefined _ -> Undefined.class;
            case List<?> _ -> throw TemplateException.type("unhashable type: 'list'");
            case Dict _ -> throw TemplateException.type("unhashable type: 'dict'");
            case DictView _ -> throw TemplateException.type("unhashable type: '" + Values.typeName(key) + "'");
            default -> key;
        };
    }
}
