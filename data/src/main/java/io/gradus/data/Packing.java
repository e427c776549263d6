package io.gradus.data;

import java.util.List;

/** How documents become blocks of T tokens. */
public enum Packing {
    /**
     * End to end, cut every T tokens. A document may begin in the middle of a block; the tokens before it are seen too,
     * which the end-of-text token between them marks. Nothing is padded but the last block: for plain text.
     */
    STREAM,
    /**
     * Whole, as many to a block as fit, none of which sees another and each with positions from 0: to the model they are
     * rows of their own. For examples, whose answer must not be cut from its question.
     */
    DOCUMENTS;

    /** Examples whole, text as a stream. */
    public static Packing usual(List<? extends Document> documents) {
        return documents.stream().allMatch(document -> document instanceof Document.Text) ? STREAM : DOCUMENTS;
    }
}
