package io.gradus.data.tokenizer.huggingface;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The added tokens of a tokenizer and their ids. A token that the model has keeps its id. Any other gets the next id, whatever its
 * file says, as in version 0.23 of the tokenizers library, which transformers 5 uses.
 */
final class AddedTokens {
    private final Vocabulary vocabulary;
    private final Map<String, Integer> ids = new HashMap<>();
    private final SortedMap<Integer, AddedToken> byId = new TreeMap<>();
    private final Set<String> special = new HashSet<>();
    /** Tokens that were added with {@code normalized}, even if they were added again without. */
    private final Map<Integer, String> onceNormalized = new HashMap<>();

    AddedTokens(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /** Adds tokens in one go: the first new id follows those of all tokens that were added before. */
    void add(List<AddedToken> tokens) {
        int next = next(byId);
        for (AddedToken token : tokens) {
            OptionalInt known = id(token.content());
            AddedToken same = known.isPresent() ? byId.get(known.getAsInt()) : null;
            if (token.content().isEmpty() || same != null && token.isLike(same)) {
                continue;
            }
            int id = known.isPresent() ? known.getAsInt() : next++;
            ids.put(token.content(), id);
            byId.put(id, token);
            if (token.special()) {
                special.add(token.content());
            }
            if (token.normalized()) {
                onceNormalized.put(id, token.content());
            }
        }
    }

    private int next(SortedMap<Integer, AddedToken> added) {
        int size = vocabulary.tokens().size();
        return added.isEmpty() || added.lastKey() < size && size > 0 ? size : added.lastKey() + 1;
    }

    /** The id of a token, added or not. */
    OptionalInt id(String token) {
        Integer id = ids.getOrDefault(token, vocabulary.ids().get(token));
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    SortedMap<Integer, AddedToken> byId() {
        return byId;
    }

    /**
     * The token that was added with {@code normalized} under an id, even if another was added later: decoding gives its normalized
     * form.
     */
    @Nullable String onceNormalized(int id) {
        return onceNormalized.get(id);
    }

    /** Whether a text is that of a token which was once added as a special one. */
    boolean isSpecial(String text) {
        return special.contains(text);
    }

    /**
     * Whether the native library, an earlier version that computes the next id after each token, gives the same ids to the tokens in
     * the order of their ids.
     */
    boolean hasIdsOfNativeLibrary() {
        SortedMap<Integer, AddedToken> added = new TreeMap<>();
        for (Map.Entry<Integer, AddedToken> entry : byId.entrySet()) {
            int id = vocabulary.ids().getOrDefault(entry.getValue().content(), next(added));
            if (id != entry.getKey()) {
                return false;
            }
            added.put(id, entry.getValue());
        }
        return true;
    }
}
