package io.gradus.train.data;

import io.gradus.train.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Tokens, and which of them a model should learn to predict.
 *
 * @param ids the tokens
 * @param counts for each, whether predicting it counts towards the loss
 */
public record TokenizedDocument(int[] ids, boolean[] counts) {

    public TokenizedDocument {
        if (ids.length != counts.length) {
            throw new IllegalArgumentException(
                    "tokens: there are " + ids.length + " ids and " + counts.length + " counts; one of each is needed");
        }
    }

    /**
     * The tokens of a document: the bos token where the tokeniser adds one, the text, and the eos token where there is
     * one. Of a text everything counts but bos, which nobody asks a model to write. Of a prompt and its completion the
     * completion counts, and the eos.
     *
     * <p>Prompt and completion are tokenised as one text. The first token that differs from those of the prompt alone
     * is the first of the completion: where a token spans the seam it has a part of what is to be learnt.
     */
    public static TokenizedDocument of(Document document, Tokenizer tokenizer) {
        int[] text;
        int unlearnt;
        switch (document) {
            case Document.Text plain -> {
                text = tokenizer.encode(plain.text());
                unlearnt = 0;
            }
            case Document.PromptCompletion pair -> {
                text = tokenizer.encode(pair.prompt() + pair.completion());
                int[] prompt = tokenizer.encode(pair.prompt());
                int seam = Arrays.mismatch(prompt, text);
                unlearnt = seam < 0 ? text.length : seam;
            }
        }
        IntStream bos = tokenizer.addsBos() ? tokenizer.bos().stream() : IntStream.empty();
        int[] head = bos.toArray();
        int[] ids = IntStream.concat(IntStream.of(head), IntStream.concat(IntStream.of(text), tokenizer.eos().stream()))
                .toArray();
        boolean[] counts = new boolean[ids.length];
        Arrays.fill(counts, head.length + unlearnt, ids.length, true);
        return new TokenizedDocument(ids, counts);
    }

    /**
     * Documents one after the other.
     *
     * @throws IllegalArgumentException when together they have more tokens than an array holds
     */
    static TokenizedDocument join(List<TokenizedDocument> documents) {
        long length =
                documents.stream().mapToLong(document -> document.ids.length).sum();
        if (length > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "data: the text has " + length + " tokens, and one run takes 2^31; train on a part of it");
        }
        int[] ids = new int[(int) length];
        boolean[] counts = new boolean[(int) length];
        int at = 0;
        for (TokenizedDocument document : documents) {
            System.arraycopy(document.ids, 0, ids, at, document.ids.length);
            System.arraycopy(document.counts, 0, counts, at, document.ids.length);
            at += document.ids.length;
        }
        return new TokenizedDocument(ids, counts);
    }
}
