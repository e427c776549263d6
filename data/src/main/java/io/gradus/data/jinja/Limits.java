package io.gradus.data.jinja;

import java.util.List;
import java.util.function.Supplier;

/** Limits that keep a template from using all memory, time or stack. A chat of several megabytes stays far below them. */
final class Limits {
    /** Characters of one text, such as the rendered template. */
    private static final long MAX_CHARACTERS = 1L << 26;
    /** Items of one list. */
    private static final long MAX_ITEMS = 1L << 22;
    /** Bits of an integer. */
    private static final long MAX_BITS = 1L << 16;
    /** Expressions, statements and macros inside each other. */
    private static final int MAX_DEPTH = 1000;
    /** Expressions, statements and items of one rendering; many characters are one step. */
    private static final long MAX_STEPS = 20_000_000L;

    private static final int CHARACTERS_PER_STEP = 64;
    /** Characters of all texts together, of which a template may keep every one. */
    private static final long MAX_TOTAL_CHARACTERS = 1L << 29;
    /** Items of all lists together. */
    private static final long MAX_TOTAL_ITEMS = 1L << 26;

    private static final ScopedValue<Limits> CURRENT = ScopedValue.newInstance();

    private int depth;
    private long steps;
    private long characters;
    private long items;

    /** Counts what is done from here. */
    static <T> T within(Supplier<T> rendering) {
        return ScopedValue.where(CURRENT, new Limits()).call(rendering::get);
    }

    static void requireCharacters(long count) {
        require(count, MAX_CHARACTERS, "characters in a text");
    }

    static void requireItems(long count) {
        require(count, MAX_ITEMS, "items in a list");
    }

    static void requireBits(long count) {
        require(count, MAX_BITS, "bits in an integer");
    }

    private static void require(long count, long limit, String what) {
        if (count > limit) {
            throw TemplateException.limit("the template makes more than " + limit + " " + what);
        }
    }

    /** Counts items that were visited. */
    static void visit(long count) {
        if (CURRENT.isBound()) {
            CURRENT.get().work(count);
        }
    }

    /** Counts the characters of a value that is read, if it is a string. */
    static void read(Object value) {
        if (Values.isString(value)) {
            visit(Values.text(value).length() / CHARACTERS_PER_STEP);
        }
    }

    private void work(long count) {
        steps += count;
        require(steps, MAX_STEPS, "steps");
    }

    /** Begins an expression, a statement, or a macro. */
    static Limits enter() {
        Limits current = CURRENT.get();
        require(++current.depth, MAX_DEPTH, "expressions and macros inside each other");
        current.work(1);
        return current;
    }

    void leave() {
        depth--;
    }

    /** Counts what an expression produced. */
    Object produced(Object value) {
        if (value instanceof String text) {
            characters += text.length();
            require(characters, MAX_TOTAL_CHARACTERS, "characters in all texts");
        } else if (value instanceof List<?> list) {
            items += list.size();
            require(items, MAX_TOTAL_ITEMS, "items in all lists");
        }
        return value;
    }
}
