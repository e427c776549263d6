package io.gradus.data;

import java.util.ArrayList;
import java.util.List;

/**
 * Consecutive words that are one name.
 *
 * @param type such as {@code PER}
 * @param from index of the first word
 * @param to index after the last word
 */
public record Entity(String type, int from, int to) {
    private static final String OUTSIDE = "O";

    /**
     * The entities of a sentence by its tags: {@code B-} begins one, {@code I-} continues one, and {@code O} is outside. As in seqeval
     * and in the script of CoNLL 2000 and 2003, {@code I-} also begins one, after another type or outside; so both IOB1 and IOB2 are
     * read. Of IOBES, {@code E-} and {@code S-} end one. A tag without a prefix is a type whose words are one entity.
     */
    public static List<Entity> of(List<String> tags) {
        List<Entity> entities = new ArrayList<>();
        int from = -1;
        String previous = OUTSIDE;
        for (int i = 0; i <= tags.size(); i++) {
            String tag = i < tags.size() ? tags.get(i) : OUTSIDE;
            if (from >= 0 && ends(previous, tag)) {
                entities.add(new Entity(type(previous), from, i));
                from = -1;
            }
            if (from < 0 && !tag.equals(OUTSIDE)) {
                from = i;
            }
            previous = tag;
        }
        return entities;
    }

    /** Whether the names of tags are those of entities. */
    public static boolean areTags(List<String> names) {
        return names.stream().anyMatch(name -> name.matches("[BI]-.+"));
    }

    /** Whether the entity of a tag ends before the next tag. */
    private static boolean ends(String tag, String next) {
        return next.equals(OUTSIDE)
                || !type(tag).equals(type(next))
                || prefix(next) == 'B'
                || prefix(next) == 'S'
                || prefix(tag) == 'E'
                || prefix(tag) == 'S';
    }

    private static char prefix(String tag) {
        return hasPrefix(tag) ? tag.charAt(0) : 'I';
    }

    private static String type(String tag) {
        return hasPrefix(tag) ? tag.substring(2) : tag;
    }

    private static boolean hasPrefix(String tag) {
        return tag.length() > 2 && tag.charAt(1) == '-';
    }
}
