package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.safetensors.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The words of a text, as the vocabulary of a word-level tokenizer: that of recurrent language models, which read a text word by
 * word. Words are in lower case; each run of punctuation is a word.
 *
 * {@snippet :
 * WordVocabulary words = WordVocabulary.of(List.of("A fine film.", "A film of a play."), 10_000, 1);
 * words.save(Path.of("my-words"));
 * Tokenizer tokenizer = Tokenizer.load(Path.of("my-words"));
 * int[] ids = tokenizer.encode("a dull film."); // a, <unk>, film and .
 * }
 *
 * @param words in the order of their ids: the {@link #SPECIAL} ones, and then by how often they occur
 */
public record WordVocabulary(List<String> words) {
    /** The unknown word, padding, and the end of a text: the ids 0, 1 and 2. */
    public static final List<String> SPECIAL = List.of("<unk>", "<pad>", "<eos>");

    /** The id of padding. */
    public static final int PADDING = 1;

    /** The id of the end of a text. */
    public static final int END = 2;

    /** What the pre-tokenizer {@code Whitespace} of Hugging Face splits a text into. */
    private static final Pattern WORD = Pattern.compile("\\w+|[^\\w\\s]+", Pattern.UNICODE_CHARACTER_CLASS);

    private static final ObjectMapper JSON = new ObjectMapper();

    public WordVocabulary {
        words = List.copyOf(words);
    }

    /**
     * The most frequent words of texts; of equally frequent ones, the first in the order of characters.
     *
     * @param most words, without the special ones
     * @param least times that a word must occur
     */
    public static WordVocabulary of(Iterable<String> texts, int most, int least) {
        Map<String, Integer> counts = new HashMap<>();
        for (String text : texts) {
            Matcher word = WORD.matcher(text.toLowerCase(Locale.ROOT));
            while (word.find()) {
                counts.merge(word.group(), 1, Integer::sum);
            }
        }
        SPECIAL.forEach(counts::remove);
        List<String> frequent = counts.entrySet().stream()
                .filter(entry -> entry.getValue() >= least)
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(most)
                .map(Map.Entry::getKey)
                .toList();
        return new WordVocabulary(
                Stream.concat(SPECIAL.stream(), frequent.stream()).toList());
    }

    /** The number of words, with the special ones. */
    public int size() {
        return words.size();
    }

    /**
     * Writes {@code tokenizer.json} and {@code tokenizer_config.json}, from which {@link Tokenizer#load} and Hugging Face load the
     * tokenizer.
     *
     * @throws IOException if a file cannot be written
     */
    public void save(Path folder) throws IOException {
        ObjectNode root = JSON.createObjectNode().put("version", "1.0");
        root.putNull("truncation").putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        for (int id = 0; id < SPECIAL.size(); id++) {
            added.addObject()
                    .put("id", id)
                    .put("content", SPECIAL.get(id))
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        root.putObject("normalizer").put("type", "Lowercase");
        root.putObject("pre_tokenizer").put("type", "Whitespace");
        root.putNull("post_processor").putNull("decoder");
        ObjectNode model = root.putObject("model").put("type", "WordLevel");
        ObjectNode ids = model.putObject("vocab");
        for (int id = 0; id < words.size(); id++) {
            ids.put(words.get(id), id);
        }
        model.put("unk_token", SPECIAL.getFirst());
        ObjectNode settings = JSON.createObjectNode()
                .put("tokenizer_class", "TokenizersBackend")
                .put("unk_token", SPECIAL.getFirst())
                .put("pad_token", SPECIAL.get(PADDING))
                .put("eos_token", SPECIAL.get(END));
        Files.createDirectories(folder);
        AtomicFile.write(folder.resolve("tokenizer.json"), root.toPrettyString() + "\n");
        AtomicFile.write(folder.resolve("tokenizer_config.json"), settings.toPrettyString() + "\n");
    }
}
