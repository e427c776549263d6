package io.gradus.data;

import io.gradus.data.Document.Text;
import io.gradus.data.Document.TextFile;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.parallel.ParallelMap;
import io.gradus.data.tokenizer.LongText;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Tokenizes documents one after another, in memory that depends neither on their number nor on the length of a text. Several
 * documents are tokenized at once, on several threads, and received in order.
 */
final class Tokenization {
    private static final int LONG_TEXT = 1 << 18;
    private static final int CHARACTERS_AT_ONCE = 1 << 20;
    private static final int DOCUMENTS_AT_ONCE = 1 << 12;

    private final Tokenizer tokenizer;
    private final @Nullable ChatTemplate template;
    private final AnswerEnds ends;
    private final Receiver receiver;
    private final DoubleConsumer progress;
    private final List<Document> waiting = new ArrayList<>();
    private long waitingCharacters;

    /** Receives the tokens of documents. */
    @FunctionalInterface
    interface Receiver {
        /** Some tokens of a document, in order. */
        void add(TokenizedDocument tokens) throws IOException;

        /** Called after the last tokens of a document. */
        default void end(Document document) {}
    }

    /**
     * @param template how chats are written
     * @param ends receives the tokens of chats
     * @param progress receives how much is done, from 0 to 1
     */
    Tokenization(
            Tokenizer tokenizer,
            @Nullable ChatTemplate template,
            AnswerEnds ends,
            Receiver receiver,
            DoubleConsumer progress) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.ends = ends;
        this.receiver = receiver;
        this.progress = progress;
    }

    /**
     * Tokenizes documents.
     *
     * @throws IOException if a file cannot be read, or the receiver throws it
     * @throws IllegalArgumentException as {@link TokenizedDocument#of}, and if a text cannot be tokenized in pieces; the message
     *     names the document
     */
    void run(Collection<? extends Document> documents) throws IOException {
        int count = 0;
        double done = 0;
        for (Iterator<? extends Document> all = documents.iterator(); all.hasNext(); ) {
            Document document = all.next();
            double end = MeasuredIterator.fraction(all, ++count, documents.size());
            switch (document) {
                case TextFile file -> {
                    Utf8Reader reader = new Utf8Reader(file.file(), file.from(), file.to());
                    double bytes = (double) file.to() - file.from();
                    DoubleSupplier part = () -> (reader.position() - file.from()) / bytes;
                    tokenizeLong(file, file.file().toString(), reader, part, done, end);
                }
                case Text plain
                when plain.text().length() > LONG_TEXT -> {
                    CountingReader reader = new CountingReader(new StringReader(plain.text()));
                    double characters = plain.text().length();
                    tokenizeLong(plain, "document " + count, reader, () -> reader.count / characters, done, end);
                }
                default -> {
                    waiting.add(document);
                    waitingCharacters += characters(document);
                    if (waiting.size() == DOCUMENTS_AT_ONCE || waitingCharacters >= CHARACTERS_AT_ONCE) {
                        tokenizeWaiting();
                        progress.accept(end);
                    }
                }
            }
            done = end;
        }
        tokenizeWaiting();
        progress.accept(1);
    }

    private static long characters(Document document) {
        return switch (document) {
            case Text plain -> plain.text().length();
            case TextFile file -> file.to() - file.from();
            case Document.PromptCompletion pair ->
                (long) pair.prompt().length() + pair.completion().length();
            case Document.Chat chat ->
                chat.messages().stream()
                        .mapToLong(message -> message.content().length())
                        .sum();
        };
    }

    private void tokenizeWaiting() throws IOException {
        List<TokenizedDocument> tokens =
                ParallelMap.of(waiting, document -> TokenizedDocument.of(document, tokenizer, template));
        for (int i = 0; i < tokens.size(); i++) {
            if (waiting.get(i) instanceof Document.Chat) {
                ends.add(tokens.get(i));
            }
            receiver.add(tokens.get(i));
            receiver.end(waiting.get(i));
        }
        waiting.clear();
        waitingCharacters = 0;
    }

    private void tokenizeLong(Document document, String name, Reader text, DoubleSupplier part, double done, double end)
            throws IOException {
        tokenizeWaiting();
        receiver.add(tokens(tokenizer.addsBos() ? tokenizer.bos() : OptionalInt.empty(), false));
        try {
            LongText.encode(tokenizer, text, ids -> {
                boolean[] counts = new boolean[ids.length];
                Arrays.fill(counts, true);
                receiver.add(new TokenizedDocument(ids, counts));
                progress.accept(done + (end - done) * part.getAsDouble());
            });
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
        }
        receiver.add(tokens(tokenizer.eos(), true));
        receiver.end(document);
    }

    private static TokenizedDocument tokens(OptionalInt id, boolean counts) {
        return id.isPresent()
                ? new TokenizedDocument(new int[] {id.getAsInt()}, new boolean[] {counts})
                : new TokenizedDocument(new int[0], new boolean[0]);
    }

    /** Counts the characters that have been read. */
    private static final class CountingReader extends FilterReader {
        private long count;

        CountingReader(Reader in) {
            super(in);
        }

        @Override
        public int read(char[] target, int from, int length) throws IOException {
            int read = super.read(target, from, length);
            count += Math.max(0, read);
            return read;
        }
    }
}
