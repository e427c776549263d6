package io.gradus.data;

import org.jspecify.annotations.Nullable;

/**
 * The columns of a table, or keys of JSON lines, that a classifier reads. Others are ignored.
 *
 * @param text the text, {@code text} by default
 * @param pair the second text of each example; null: {@code text_pair}, where a file has it
 * @param label the labels; null: {@code label}, or {@code labels} for any number of them
 * @param labels what an example has
 */
public record ExampleColumns(
        String text, @Nullable String pair, @Nullable String label, Labels labels) {

    /** The usual names. */
    public static final ExampleColumns DEFAULT = new ExampleColumns("text", null, null, Labels.AUTO);

    /** How many labels an example has. */
    public enum Labels {
        /** One in a column {@code label}, any number in a column {@code labels}. */
        AUTO,
        /** Exactly one. */
        ONE,
        /** Any number: a list in JSON, with commas between them in a table. */
        SEVERAL,
        /** Labels are not read. */
        NONE
    }

    /** The same columns without labels. */
    public ExampleColumns withoutLabels() {
        return new ExampleColumns(text, pair, null, Labels.NONE);
    }
}
