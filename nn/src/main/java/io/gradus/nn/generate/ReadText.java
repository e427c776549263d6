package io.gradus.nn.generate;

import io.gradus.nn.KeyValueCache;
import io.gradus.nn.model.LanguageModel;
import java.util.Arrays;

/**
 * The tokens that a model has read and written last, with their keys and values. The next text is read from the first token that
 * differs, so a chat, whose text only grows, is never read again. For one text at a time; not thread-safe.
 */
public final class ReadText implements AutoCloseable {
    private final LanguageModel model;
    private KeyValueCache cache;
    private int[] ids = {};

    /** Nothing yet. */
    public ReadText(LanguageModel model) {
        this.model = model;
        this.cache = model.newCache(model.contextLength());
    }

    LanguageModel model() {
        return model;
    }

    /** The cache with what the last text and a new one have in common; without the new one's last token, which is read for its logits. */
    KeyValueCache upTo(int[] text) {
        int common = Arrays.mismatch(ids, text);
        long known = Math.min(Math.min(common < 0 ? text.length : common, text.length - 1L), cache.length());
        boolean keysChange = ids.length > model.keysSameUpTo() && text.length <= model.keysSameUpTo();
        known = keysChange ? 0 : known;
        cache.truncate(known);
        ids = Arrays.copyOf(text, (int) known); // all that is known until the text is complete
        return cache;
    }

    /** Remembers a text, of which the cache has the beginning. */
    void remember(int[] text) {
        ids = Arrays.copyOf(text, Math.toIntExact(Math.min(text.length, cache.length())));
    }

    /** The number of tokens that need not be read again. */
    public int length() {
        return ids.length;
    }

    /** Forgets the text and frees its memory. */
    public void clear() {
        cache.release();
        cache = model.newCache(model.contextLength());
        ids = new int[0];
    }

    /** Frees the memory. */
    @Override
    public void close() {
        clear();
    }
}
