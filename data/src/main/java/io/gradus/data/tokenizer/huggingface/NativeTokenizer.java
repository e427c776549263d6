package io.gradus.data.tokenizer.huggingface;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.Arrays;

/**
 * A tokenizer in the native library. A panic there ends the JVM: what is passed to it must have been checked before. Thread-safe.
 */
public final class NativeTokenizer {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long handle;

    private NativeTokenizer(long handle) {
        this.handle = handle;
        CLEANER.register(this, () -> TokenizersLibrary.LIB.deleteTokenizer(handle));
    }

    /**
     * Creates a tokenizer.
     *
     * @param json the text of a {@code tokenizer.json}
     * @throws IOException if the library cannot be loaded, or does not accept the text; the message does not name a file
     */
    public static NativeTokenizer of(String json) throws IOException {
        NativeLibrary.load();
        try {
            return new NativeTokenizer(TokenizersLibrary.LIB.createTokenizerFromString(json));
        } catch (RuntimeException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /**
     * The ids of a text.
     *
     * @param text without unpaired surrogates
     * @param addSpecialTokens whether the post-processor of the file adds its tokens
     * @throws IllegalArgumentException if the tokenizer has no token for a part of the text
     */
    public int[] encode(String text, boolean addSpecialTokens) {
        try {
            long encoding = TokenizersLibrary.LIB.encode(handle, text, addSpecialTokens);
            try {
                long[] ids = TokenizersLibrary.LIB.getTokenIds(encoding);
                int[] narrow = new int[ids.length];
                for (int i = 0; i < ids.length; i++) {
                    narrow[i] = Math.toIntExact(ids[i]);
                }
                return narrow;
            } finally {
                TokenizersLibrary.LIB.deleteEncoding(encoding);
            }
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The text of ids; unknown ids are ignored. */
    public String decode(int[] ids, boolean skipSpecialTokens) {
        try {
            long[] wide = Arrays.stream(ids).asLongStream().toArray();
            return TokenizersLibrary.LIB.decode(handle, wide, skipSpecialTokens);
        } finally {
            Reference.reachabilityFence(this);
        }
    }
}
