package io.gradus.data;

import io.gradus.data.tokenizer.Tokenizer;
import java.util.BitSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.TreeSet;

/**
 * The tokens that end the answers of chats. A model that is trained on them generates one when an answer is complete, so
 * generation must stop there.
 */
final class AnswerEnds {
    private final Tokenizer tokenizer;
    /** The last target of each answer. */
    private final BitSet last = new BitSet();
    /** All other targets. */
    private final BitSet others = new BitSet();

    AnswerEnds(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    void add(TokenizedDocument chat) {
        int[] ids = chat.ids();
        for (int i = 0; i < ids.length; i++) {
            if (chat.counts()[i]) {
                boolean ends = i + 1 == ids.length || !chat.counts()[i + 1];
                (ends ? last : others).set(ids[i]);
            }
        }
    }

    /**
     * The tokens at which an answer is over: control tokens, and others, such as a line break, that are never inside an
     * answer.
     */
    SequencedSet<Integer> ids() {
        SequencedSet<Integer> ids = new TreeSet<>();
        last.stream().filter(this::isEnd).forEach(ids::add);
        return ids;
    }

    private boolean isEnd(int id) {
        return tokenizer.isControl(id) || !others.get(id);
    }

    /** A sentence if answers end with tokens that are also inside answers. */
    List<String> warnings() {
        int[] ambiguous = last.stream().filter(id -> !isEnd(id)).toArray();
        if (ambiguous.length == 0) {
            return List.of();
        }
        String shown = tokenizer.spell(new int[] {ambiguous[0]}).replace("\n", "\\n");
        return List.of(
                "nothing marks the end of some answers: their last token, '" + shown + "', is also inside answers."
                        + " Generation will not stop there by itself; use a chat template whose answers end with a special token,"
                        + " or set eos_token in tokenizer_config.json");
    }
}
