package io.gradus.data;

import java.util.AbstractCollection;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The documents of several collections, one collection after another. */
final class Concatenation extends AbstractCollection<Document> {
    private final List<? extends Collection<Document>> collections;

    Concatenation(List<? extends Collection<Document>> collections) {
        this.collections = List.copyOf(collections);
    }

    @Override
    public int size() {
        return Math.toIntExact(collections.stream().mapToLong(Collection::size).sum());
    }

    @Override
    public Iterator<Document> iterator() {
        return new Documents();
    }

    private final class Documents extends MeasuredIterator<Document> {
        private int opened;
        private int size; // of the open collection
        private int count; // read from it
        private @Nullable Iterator<Document> current;

        @Override
        @Nullable Document read() {
            while (current == null || !current.hasNext()) {
                if (opened == collections.size()) {
                    return null;
                }
                Collection<Document> next = collections.get(opened++);
                current = next.iterator();
                size = next.size();
                count = 0;
            }
            count++;
            return current.next();
        }

        @Override
        double fraction() {
            return current == null ? 0 : (opened - 1 + fraction(current, count, size)) / collections.size();
        }
    }
}
