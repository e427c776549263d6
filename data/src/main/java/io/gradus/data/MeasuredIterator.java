package io.gradus.data;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** An iterator that knows how much of its source it has read. */
abstract class MeasuredIterator<T> implements Iterator<T> {
    private @Nullable T next;

    /** The next element; null at the end, also when it is called again. */
    abstract @Nullable T read();

    /** How much has been read, from 0 to 1. */
    abstract double fraction();

    /**
     * How much an iterator has read of a collection.
     *
     * @param count the number of elements that it has returned
     * @param size of the collection
     */
    static double fraction(Iterator<?> iterator, int count, int size) {
        return iterator instanceof MeasuredIterator<?> measured ? measured.fraction() : (double) count / size;
    }

    @Override
    public final boolean hasNext() {
        if (next == null) {
            next = read();
        }
        return next != null;
    }

    @Override
    public final T next() {
        T element = hasNext() ? next : null;
        if (element == null) {
            throw new NoSuchElementException();
        }
        next = null;
        return element;
    }
}
