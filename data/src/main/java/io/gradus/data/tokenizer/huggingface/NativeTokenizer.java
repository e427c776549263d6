package io.gradus.data.tokenizer.huggingface;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.gradus.core.json.JsonProblem;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.function.LongFunction;

/**
 * A tokenizer in the native library. A panic there ends the JVM: what is passed to it must have been checked before. Thread-safe.
 */
final class NativeTokenizer {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long handle;

    private NativeTokenizer(long handle) {
        this.handle = handle;
        CLEANER.register(this, () -> TokenizersLibrary.LIB.deleteTokenizer(handle));
    }

    /**
     * Creates a tokenizer.
     *
     * @param json the text of a {@code tokenizer.json}, checked
     * @param file its file, for messages
     * @throws IOException if the library cannot be loaded, or does not accept the text
     */
    static NativeTokenizer of(String json, Path file) throws IOException {
        NativeLibrary.load();
        try {
            return new NativeTokenizer(TokenizersLibrary.LIB.createTokenizerFromString(json));
        } catch (RuntimeException e) {
            throw new IOException(file + ": " + JsonProblem.brief(String.valueOf(e.getMessage())), e);
        }
    }

    /**
     * The ids of a text.
     *
     * @param text without unpaired surrogates
     * @throws IllegalArgumentException if the tokenizer has no token for a part of the text
     */
    int[] encode(String text) {
        return encoded(text, NativeTokenizer::ids);
    }

    private static int[] ids(long encoding) {
        long[] ids = TokenizersLibrary.LIB.getTokenIds(encoding);
        int[] narrow = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            narrow[i] = Math.toIntExact(ids[i]);
        }
        return narrow;
    }

    /** The ids of a text and their places, as {@link #encode}. */
    PlacedIds places(String text) {
        return encoded(
                text, encoding -> PlacedIds.of(text, ids(encoding), TokenizersLibrary.LIB.getTokenCharSpans(encoding)));
    }

    /** The tokens of a text, as {@link #encode}. */
    String[] tokens(String text) {
        return encoded(text, TokenizersLibrary.LIB::getTokens);
    }

    private <T> T encoded(String text, LongFunction<T> result) {
        try {
            long encoding = TokenizersLibrary.LIB.encode(handle, text, false);
            try {
                return result.apply(encoding);
            } finally {
                TokenizersLibrary.LIB.deleteEncoding(encoding);
            }
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(JsonProblem.brief(String.valueOf(e.getMessage())), e);
        } finally {
            Reference.reachabilityFence(this);
        }
    }
}
