package io.gradus.data.jinja;

import java.math.BigInteger;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} in a loop, which is also the iterator over its items. */
final class LoopContext implements Iterator<Object>, Callable {
    private final @Nullable List<Object> sized;
    private Iterator<Object> items;
    private final int depth;
    private final @Nullable BiFunction<Object, Integer, Object> recursion;
    private int index0 = -1;
    private int length = -1;
    private @Nullable Object after;
    private @Nullable Object current;
    private @Nullable Object before;
    private @Nullable List<Object> lastChanged;

    /**
     * Creates the variable of a loop.
     *
     * @param depth of recursive loops, from 0
     * @param recursion renders the loop with other items, one level deeper; null if the loop is not recursive
     */
    LoopContext(Object items, int depth, @Nullable BiFunction<Object, Integer, Object> recursion) {
        this.sized = Values.itemsIfSized(items);
        this.items = Values.iterate(items);
        this.depth = depth;
        this.recursion = recursion;
    }

    @Override
    public boolean hasNext() {
        return peek() != null;
    }

    /** The item after the current one. */
    private @Nullable Object peek() {
        if (after == null && items.hasNext()) {
            after = items.next();
        }
        return after;
    }

    @Override
    public Object next() {
        Object item = peek();
        if (item == null) {
            throw new NoSuchElementException();
        }
        after = null;
        index0++;
        before = current;
        current = item;
        return item;
    }

    int index() {
        return index0 + 1;
    }

    int length() {
        if (length < 0) {
            if (sized != null) {
                length = sized.size();
            } else {
                List<Object> rest = Values.list(new Generator(items));
                items = rest.iterator();
                length = rest.size() + index() + (after == null ? 0 : 1);
            }
        }
        return length;
    }

    /** An attribute; null if there is none of this name. */
    @Nullable Object attribute(String name) {
        return switch (name) {
            case "index" -> BigInteger.valueOf(index());
            case "index0" -> BigInteger.valueOf(index0);
            case "revindex" -> BigInteger.valueOf(length() - index0);
            case "revindex0" -> BigInteger.valueOf(length() - index());
            case "first" -> index0 == 0;
            case "last" -> peek() == null;
            case "length" -> BigInteger.valueOf(length());
            case "depth" -> BigInteger.valueOf(depth + 1);
            case "depth0" -> BigInteger.valueOf(depth);
            case "previtem" -> index0 == 0 || before == null ? new Undefined("there is no previous item") : before;
            case "nextitem" -> {
                Object item = peek();
                yield item == null ? new Undefined("there is no next item") : item;
            }
            case "cycle" -> (Callable) this::cycle;
            case "changed" -> (Callable) this::changed;
            default -> null;
        };
    }

    private Object cycle(Arguments arguments) {
        List<Object> values = arguments.positional();
        if (values.isEmpty()) {
            throw TemplateException.type("no items for cycling given");
        }
        return values.get(index0 % values.size());
    }

    private Object changed(Arguments arguments) {
        List<Object> values = arguments.positional();
        if (lastChanged != null && Operators.equal(lastChanged, values)) {
            return false;
        }
        lastChanged = values;
        return true;
    }

    /** Renders the loop with other items, if it is recursive. */
    @Override
    public Object call(Arguments arguments) {
        Object[] values = Signature.of("LoopContext.__call__", "iterable").bind(arguments);
        if (recursion == null) {
            throw TemplateException.type("The loop must have the 'recursive' marker to be called recursively.");
        }
        return recursion.apply(values[0], depth + 1);
    }

    @Override
    public String typeName() {
        return "LoopContext";
    }
}
