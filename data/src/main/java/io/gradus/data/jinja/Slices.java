package io.gradus.data.jinja;

import java.util.ArrayList;
import java.util.List;

/** {@code value[from:to:step]}. */
final class Slices {
    private Slices() {}

    /** A part of a string, a list, a tuple, or a range; bounds and step may be {@code none}. */
    static Object slice(Object value, Object from, Object to, Object step) {
        if (value instanceof Undefined undefined) {
            throw undefined.exception();
        }
        if (value instanceof Dict) {
            throw TemplateException.type("unhashable type: 'slice'");
        }
        if (Values.isString(value)) {
            return like(value, characters(Values.text(value), from, to, step));
        }
        List<Object> items = value instanceof DictView ? null : Values.itemsIfSized(value);
        if (items == null) {
            throw TemplateException.type("'" + Values.typeName(value) + "' object is not subscriptable");
        }
        Places places = Places.of(from, to, step, items.size());
        if (value instanceof Range range) {
            return new Range(
                    range.start() + places.begin * range.step(),
                    range.start() + places.end * range.step(),
                    range.step() * places.step);
        }
        List<Object> part = new ArrayList<>();
        for (long i = places.begin; places.contains(i); i += places.step) {
            part.add(items.get((int) i));
        }
        return value instanceof Tuple ? new Tuple(part) : part;
    }

    private static String characters(String text, Object from, Object to, Object step) {
        if (Characters.isSurrogateFree(text)) {
            Places places = Places.of(from, to, step, text.length());
            if (places.step == 1) {
                return places.contains(places.begin) ? text.substring((int) places.begin, (int) places.end) : "";
            }
        }
        int[] characters = text.codePoints().toArray();
        Places places = Places.of(from, to, step, characters.length);
        StringBuilder part = new StringBuilder();
        for (long i = places.begin; places.contains(i); i += places.step) {
            part.appendCodePoint(characters[(int) i]);
        }
        return part.toString();
    }

    /** Places from {@code begin} to {@code end}, which is not one of them. */
    private record Places(long begin, long end, long step) {

        static Places of(Object from, Object to, Object step, int size) {
            int stride = step == None.NONE ? 1 : number(step);
            if (stride == 0) {
                throw TemplateException.value("slice step cannot be zero");
            }
            int low = stride > 0 ? 0 : -1;
            int high = stride > 0 ? size : size - 1;
            return new Places(
                    from == None.NONE ? (stride > 0 ? low : high) : clamp(from, low, high, size),
                    to == None.NONE ? (stride > 0 ? high : low) : clamp(to, low, high, size),
                    stride);
        }

        private static int clamp(Object index, int low, int high, int size) {
            long place = number(index);
            return Math.clamp(place < 0 ? place + size : place, low, Math.max(low, high));
        }

        private static int number(Object index) {
            if (!Numbers.isInteger(index)) {
                throw TemplateException.type("slice indices must be integers or None or have an __index__ method");
            }
            return Numbers.count(index);
        }

        boolean contains(long place) {
            return step > 0 ? place < end : place > end;
        }
    }

    /** A text of the same type as a string. */
    static Object like(Object string, String text) {
        return string instanceof Markup ? new Markup(text) : text;
    }
}
