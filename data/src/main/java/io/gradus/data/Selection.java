package io.gradus.data;

import java.util.AbstractCollection;
import java.util.Collection;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** Some of the documents of a collection, without a copy of them. */
final class Selection extends AbstractCollection<Document> {
    private final Collection<Document> documents;
    private final int size;
    private final Choice choice;

    /** Chooses documents. */
    @FunctionalInterface
    interface Choice {
        /** The document, or what is selected instead; null if nothing is. */
        @Nullable Document of(int index, Document document);
    }

    /**
     * @param size the number of selected documents
     */
    Selection(Collection<Document> documents, int size, Choice choice) {
        this.documents = documents;
        this.size = size;
        this.choice = choice;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public Iterator<Document> iterator() {
        return new Selected();
    }

    private final class Selected extends MeasuredIterator<Document> {
        private final Iterator<Document> all = documents.iterator();
        private int index;

        @Override
        @Nullable Document read() {
            Document selected = null;
            while (selected == null && all.hasNext()) {
                selected = choice.of(index++, all.next());
            }
            return selected;
        }

        @Override
        double fraction() {
            return fraction(all, index, documents.size());
        }
    }
}
