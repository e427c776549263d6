package io.gradus.data.serve;

import io.gradus.autograd.Autograd;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Entity;
import io.gradus.data.PaddedBatches;
import io.gradus.data.WordEncoder;
import io.gradus.data.tokenizer.EncodedText;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Classifies the words of texts with a fine-tuned model, and finds names in them. Thread-safe: threads may share one classifier.
 *
 * {@snippet :
 * TokenClassifier classifier = TokenClassifier.load(Path.of("names"));
 * for (TokenClassifier.Span name : classifier.entities("Ada Lovelace lived in London.")) {
 *     System.out.println(name.type() + " " + name.text()); // PER Ada Lovelace, then LOC London
 * }
 * List<TokenClassifier.Tag> tags = classifier.classify(List.of("Ada", "lived", "in", "London", "."));
 * }
 */
public final class TokenClassifier {
    private static final int USUAL_LENGTH = 512;

    private final PretrainedModel model;
    private final Labels labels;
    private final WordEncoder encoder;

    /**
     * The tag of a word.
     *
     * @param label the most probable tag
     * @param score its probability
     */
    public record Tag(String label, double score) {}

    /**
     * Words of a text that are one name.
     *
     * @param type such as {@code PER}
     * @param text as it is in the text
     * @param start the index of its first character
     * @param end the index after its last character
     * @param score the lowest probability of the tags of its words
     */
    public record Span(String type, String text, int start, int end, double score) {}

    private TokenClassifier(PretrainedModel model, Labels labels, WordEncoder encoder) {
        this.model = model;
        this.labels = labels;
        this.encoder = encoder;
        model.eval();
    }

    /** {@link #load(Path, Device)} on the CPU. */
    public static TokenClassifier load(Path folder) throws IOException {
        return load(folder, Device.cpu());
    }

    /**
     * Loads a folder with a classifier of tokens: its {@code architectures} end in {@code ForTokenClassification}.
     *
     * @throws IOException if it does not hold one, or a file is missing or malformed
     */
    public static TokenClassifier load(Path folder, Device device) throws IOException {
        ModelFolder saved = ModelFolder.open(folder);
        if (!(saved.savedHead() instanceof Head.TokenClassification head)) {
            throw new IOException(folder + " does not hold a classifier of words: its config.json names no architecture"
                    + " that ends in ForTokenClassification. Train one with task=token_classification");
        }
        PretrainedModel model = saved.withHead(head).loadModel(device, DType.F32);
        WordEncoder encoder = new WordEncoder(Tokenizer.load(folder), Math.min(USUAL_LENGTH, model.contextLength()));
        return new TokenClassifier(model, head.labels(), encoder);
    }

    /** The tags that this classifier knows. */
    public Labels labels() {
        return labels;
    }

    /**
     * The tags of the words of a sentence.
     *
     * @param words at least one, none blank
     */
    public List<Tag> classify(List<String> words) {
        return classifyAll(List.of(words)).getFirst();
    }

    /**
     * The tags of the words of sentences, several at a time.
     *
     * @param sentences each with at least one word
     */
    public List<List<Tag>> classifyAll(List<List<String>> sentences) {
        List<WordEncoder.Row> rows = new ArrayList<>();
        int[] rowCounts = new int[sentences.size()];
        for (int i = 0; i < rowCounts.length; i++) {
            List<WordEncoder.Row> own = encoder.encode(sentences.get(i));
            rowCounts[i] = own.size();
            rows.addAll(own);
        }
        List<List<Tag>> tags = LengthBatches.map(rows, row -> row.text().ids().length, this::predict);
        List<List<Tag>> all = new ArrayList<>();
        int next = 0;
        for (int count : rowCounts) {
            all.add(tags.subList(next, next + count).stream()
                    .flatMap(List::stream)
                    .toList());
            next += count;
        }
        return all;
    }

    /**
     * The names in a text, in their order; of a classifier whose tags are not those of names, such as parts of speech, every word with
     * its tag. Words are those of {@link BreakIterator}, so a punctuation mark is a word of its own, as in the data of CoNLL.
     */
    public List<Span> entities(String text) {
        List<int[]> places = places(text);
        if (places.isEmpty()) {
            return List.of();
        }
        List<Tag> tags = classify(
                places.stream().map(place -> text.substring(place[0], place[1])).toList());
        List<Entity> found = Entity.areTags(labels.names())
                ? Entity.of(tags.stream().map(Tag::label).toList())
                : IntStream.range(0, tags.size())
                        .mapToObj(i -> new Entity(tags.get(i).label(), i, i + 1))
                        .toList();
        return found.stream()
                .map(entity -> {
                    int start = places.get(entity.from())[0];
                    int end = places.get(entity.to() - 1)[1];
                    double score = tags.subList(entity.from(), entity.to()).stream()
                            .mapToDouble(Tag::score)
                            .min()
                            .orElse(0);
                    return new Span(entity.type(), text.substring(start, end), start, end, score);
                })
                .toList();
    }

    /** The first index of each word and the index after its last. */
    private static List<int[]> places(String text) {
        BreakIterator breaks = BreakIterator.getWordInstance(Locale.ROOT);
        breaks.setText(text);
        List<int[]> places = new ArrayList<>();
        int from = breaks.first();
        for (int to = breaks.next(); to != BreakIterator.DONE; to = breaks.next()) {
            if (!text.substring(from, to).isBlank()) {
                places.add(new int[] {from, to});
            }
            from = to;
        }
        return places;
    }

    private List<List<Tag>> predict(List<WordEncoder.Row> rows) {
        List<List<EncodedText>> texts =
                rows.stream().map(row -> List.of(row.text())).toList();
        try (Scope _ = Scope.open("classify")) {
            Batch input = PaddedBatches.input(texts, encoder.pad(), model.device());
            double[] logits =
                    Autograd.noGrad(() -> model.forward(input.input())).value().toDoubles();
            int length = Math.toIntExact(input.ids().shape().get(1));
            List<List<Tag>> tags = new ArrayList<>();
            for (int i = 0; i < rows.size(); i++) {
                int row = i * length;
                tags.add(IntStream.of(rows.get(i).firstTokens())
                        .mapToObj(first -> first < 0 ? outside() : tag(logits, (row + first) * labels.size()))
                        .toList());
            }
            return tags;
        }
    }

    /** The tag of a word without tokens. */
    private Tag outside() {
        return new Tag(labels.id("O") >= 0 ? "O" : labels.names().getFirst(), 1);
    }

    private Tag tag(double[] logits, int from) {
        int best = 0;
        for (int i = 1; i < labels.size(); i++) {
            best = logits[from + i] > logits[from + best] ? i : best;
        }
        double sum = 0;
        for (int i = 0; i < labels.size(); i++) {
            sum += Math.exp(logits[from + i] - logits[from + best]);
        }
        return new Tag(labels.names().get(best), 1 / sum);
    }
}
