package io.gradus.data;

import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.chat.RenderedChat;
import io.gradus.data.tokenizer.LongText;
import io.gradus.data.tokenizer.TokenPlaces;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Tokens, and which of them to train on.
 *
 * @param ids the tokens
 * @param counts for each token, whether it is a target
 */
public record TokenizedDocument(int[] ids, boolean[] counts) {

    public TokenizedDocument {
        if (ids.length != counts.length) {
            throw new IllegalArgumentException("tokens: there are " + ids.length + " ids and " + counts.length
                    + " counts; the numbers must be equal");
        }
    }

    /**
     * The tokens of a document: bos if the tokenizer adds it, the text, and eos if the tokenizer has it. In a text, all tokens but
     * bos are targets; in a prompt with its completion, the completion and eos.
     *
     * <p>Prompt and completion are tokenized as one text. The completion begins at the first token that differs from those of
     * the prompt alone, so a token that spans both is a target.
     *
     * @throws IllegalArgumentException if the document is a chat, which needs a template
     * @throws UncheckedIOException if the document is a file that cannot be read
     */
    public static TokenizedDocument of(Document document, Tokenizer tokenizer) {
        return of(document, tokenizer, null);
    }

    /**
     * {@link #of(Document, Tokenizer)}, or the tokens of a chat as its template writes it, including bos and eos. The
     * targets of a chat are the assistant's messages and the token that ends each.
     *
     * @throws IllegalArgumentException if a chat has no template, or one that does not fit the chat or the tokenizer
     * @throws UncheckedIOException if the document is a file that cannot be read
     */
    public static TokenizedDocument of(Document document, Tokenizer tokenizer, @Nullable ChatTemplate template) {
        int[] text;
        int unlearned;
        switch (document) {
            case Document.Text plain -> {
                text = LongText.encode(tokenizer, plain.text());
                unlearned = 0;
            }
            case Document.TextFile file -> {
                text = LongText.encode(tokenizer, file.open());
                unlearned = 0;
            }
            case Document.PromptCompletion pair -> {
                text = LongText.encode(tokenizer, pair.prompt() + pair.completion());
                unlearned = seam(text, pair.prompt(), tokenizer);
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
        Arrays.fill(counts, head.length + unlearned, ids.length, true);
        return new TokenizedDocument(ids, counts);
    }

    private static TokenizedDocument chat(Document.Chat chat, Tokenizer tokenizer, @Nullable ChatTemplate template) {
        if (template == null) {
            throw new IllegalArgumentException("a chat needs a template, and the model has none of its own: set"
                    + " data.chat_template to one of " + ChatTemplate.BUILT_IN + ", or to a .jinja file");
        }
        RenderedChat rendered = template.render(chat.messages(), chat.variables());
        TokenPlaces tokens = tokenizer.places(rendered.text());
        boolean[] counts = new boolean[tokens.ids().length];
        for (RenderedChat.Span answer : rendered.answers()) {
            int from = tokens.endingBefore(answer.from());
            int to = tokens.beginningBefore(answer.to());
            Arrays.fill(counts, from, rendered.marked() ? to : end(tokens.ids(), from, to, tokenizer), true);
        }
        return new TokenizedDocument(tokens.ids(), counts);
    }

    /**
     * The end of an answer: after the token that ends it. White space after that token is the template's. The token may also
     * follow the answer, if the template ends a turn when it begins the next one.
     */
    private static int end(int[] ids, int from, int to, Tokenizer tokenizer) {
        int last = to;
        while (last > from && isSpace(ids[last - 1], tokenizer)) {
            last--;
        }
        if (last > from && tokenizer.isControl(ids[last - 1])) {
            return last;
        }
        int next = to;
        while (next < ids.length && isSpace(ids[next], tokenizer)) {
            next++;
        }
        return next < ids.length && tokenizer.eosIds().contains(ids[next]) ? next + 1 : to;
    }

    private static boolean isSpace(int id, Tokenizer tokenizer) {
        return !tokenizer.isControl(id) && tokenizer.decode(new int[] {id}).isBlank();
    }

    /** The index of the first token that differs from the tokens of the beginning. */
    private static int seam(int[] text, String beginning, Tokenizer tokenizer) {
        int seam = Arrays.mismatch(LongText.encode(tokenizer, beginning), text);
        return seam < 0 ? text.length : seam;
    }
}
