package io.gradus.data;

import java.util.Collection;

/** How documents become blocks of T tokens. */
public enum Packing {
    /**
     * Documents are concatenated and cut every T tokens. A document may begin in the middle of a block and attends to the
     * document before it, which ends with the end-of-text token. Only the last block is padded. For plain text.
     */
    STREAM,
    /**
     * Whole documents, as many per block as fit, which do not attend to each other; positions restart at 0. To the model each
     * is a row of its own. For examples, which must not be cut.
     */
    DOCUMENTS,
    /**
     * Documents are concatenated as in {@link #STREAM}, and each row of a batch continues the same row of the batch before. For
     * networks with a state ({@link Batches#contiguous}), which read a text from its beginning.
     */
    CONTIGUOUS;

    /** {@link #DOCUMENTS} for examples, {@link #STREAM} for text. */
    public static Packing usual(Collection<? extends Document> documents) {
        boolean text = documents.stream()
                .allMatch(document -> document instanceof Document.Text || document instanceof Document.TextFile);
        return text ? STREAM : DOCUMENTS;
    }
}
