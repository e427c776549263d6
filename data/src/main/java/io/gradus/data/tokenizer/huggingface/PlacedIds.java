package io.gradus.data.tokenizer.huggingface;

import ai.djl.huggingface.tokenizers.jni.CharSpan;

/**
 * The ids of a text and their places in it.
 *
 * @param ids the ids
 * @param starts for each, the index of its first UTF-16 unit
 * @param ends for each, the index after its last one
 */
public record PlacedIds(int[] ids, int[] starts, int[] ends) {

    /**
     * Converts the library's places, which count characters.
     *
     * @param spans null for ids without a place
     */
    static PlacedIds of(String text, int[] ids, CharSpan[] spans) {
        int[] units = units(text);
        int[] starts = new int[ids.length];
        int[] ends = new int[ids.length];
        int last = 0;
        for (int i = 0; i < ids.length; i++) {
            CharSpan span = spans[i];
            starts[i] = span == null ? last : units[span.getStart()];
            ends[i] = span == null ? last : units[span.getEnd()];
            last = ends[i];
        }
        return new PlacedIds(ids, starts, ends);
    }

    /** For each character of a text and for its end, the number of UTF-16 units before it. */
    private static int[] units(String text) {
        int[] units = new int[text.codePointCount(0, text.length()) + 1];
        int at = 0;
        for (int i = 0; i < units.length; i++) {
            units[i] = at;
            at += at < text.length() ? Character.charCount(text.codePointAt(at)) : 0;
        }
        return units;
    }
}
