package io.gradus.data;

import io.gradus.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

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
     *
     * @throws IllegalArgumentException when the document is a chat, which needs a template
     */
    public static TokenizedDocument of(Document document, Tokenizer tokenizer) {
        return of(document, tokenizer, null);
    }

    /**
     * {@link #of(Document, Tokenizer)}, and the tokens of a chat as its template writes it, bos and eos included. Of a chat
     * the assistant's answers count, and the token that ends each.
     *
     * @throws IllegalArgumentException when a chat has no template, or one that does not fit it or the tokeniser
     */
    public static TokenizedDocument of(Document document, Tokenizer tokenizer, @Nullable ChatTemplate template) {
        int[] text;
        int unlearnt;
        switch (document) {
            case Document.Text plain -> {
                text = tokenizer.encode(plain.text());
                unlearnt = 0;
            }
            case Document.PromptCompletion pair -> {
                text = tokenizer.encode(pair.prompt() + pair.completion());
                unlearnt = seam(text, pair.prompt(), tokenizer);
            }
            case Document.Chat chat -> {
                return chat(chat, tokenizer, template);
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

    private static TokenizedDocument chat(Document.Chat chat, Tokenizer tokenizer, @Nullable ChatTemplate template) {
        if (template == null) {
            throw new IllegalArgumentException("a chat needs a template that says how it is written: set"
                    + " data.chat_template to " + Arrays.toString(ChatTemplate.values()));
        }
        ChatTemplate.Rendered rendered = template.render(chat.messages(), tokenizer);
        int[] ids = tokenizer.encode(rendered.text());
        boolean[] counts = new boolean[ids.length];
        for (ChatTemplate.Span answer : rendered.answers()) {
            int from = seam(ids, rendered.text().substring(0, answer.from()), tokenizer);
            int to = end(ids, rendered.text().substring(0, answer.to()), tokenizer);
            Arrays.fill(counts, from, to, true);
        }
        return new TokenizedDocument(ids, counts);
    }

    /** The first token of a text that is not one of its beginning's. */
    private static int seam(int[] text, String beginning, Tokenizer tokenizer) {
        int seam = Arrays.mismatch(tokenizer.encode(beginning), text);
        return seam < 0 ? text.length : seam;
    }

    /** The token behind the last that has a part of a text's beginning. */
    private static int end(int[] text, String beginning, Tokenizer tokenizer) {
        int[] tokens = tokenizer.encode(beginning);
        int seam = Arrays.mismatch(tokens, text);
        return seam < 0 ? text.length : seam < tokens.length ? seam + 1 : seam;
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
