package io.gradus.data.tokenizer;

import io.gradus.data.tokenizer.huggingface.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Converts text to the token ids of a model, and back. Thread-safe.
 *
 * {@snippet :
 * Tokenizer tokenizer = Tokenizer.load(Path.of("my-llama"));
 * int[] ids = tokenizer.encode("Once upon a time");
 * String text = tokenizer.decode(ids);
 * }
 *
 * <p>The text of a special token, such as {@code <|endoftext|>}, is encoded as that token, as in Hugging Face transformers.
 */
public interface Tokenizer {

    /**
     * The tokens of a text, without added bos or eos.
     *
     * @throws IllegalArgumentException if the text has an unpaired surrogate
     */
    int[] encode(String text);

    /**
     * The tokens of a text as {@link #encode} returns them, and their places in it. Unless a tokenizer overrides this, the places
     * are found by encoding parts of the text again.
     *
     * @throws IllegalArgumentException if the text has an unpaired surrogate
     */
    default TokenPlaces places(String text) {
        return new TokenPlaces.Searched(this, text, encode(text));
    }

    /** The text of tokens, without special tokens and unknown ids. Malformed UTF-8 becomes U+FFFD. */
    String decode(int[] ids);

    /** The text of tokens including special ones, for display. Malformed UTF-8 becomes U+FFFD. */
    default String spell(int[] ids) {
        return decode(ids);
    }

    /** The largest id plus one. The vocabulary of the model may be larger, but not smaller. */
    int vocabSize();

    /** The token that begins a text, if there is one. */
    OptionalInt bos();

    /** The token that ends a text, if there is one. */
    OptionalInt eos();

    /** All tokens that end a generated text, including {@link #eos()}. Chat models have several. */
    default Set<Integer> eosIds() {
        return eos().isPresent() ? Set.of(eos().getAsInt()) : Set.of();
    }

    /**
     * Whether a token separates parts of a text instead of being one, as bos and the tokens around the messages of a chat do.
     * Unless a tokenizer overrides this, it is a token without text.
     */
    default boolean isControl(int id) {
        int[] one = {id};
        return decode(one).isEmpty() && !spell(one).isEmpty();
    }

    /** The special tokens that a chat template may name, such as {@code bos_token}. */
    default Map<String, String> specialTokens() {
        Map<String, String> tokens = new LinkedHashMap<>();
        bos().ifPresent(id -> tokens.put("bos_token", spell(new int[] {id})));
        eos().ifPresent(id -> tokens.put("eos_token", spell(new int[] {id})));
        return tokens;
    }

    /**
     * The chat templates of the model by name. The usual one is {@code default}.
     *
     * @throws IOException if a file that should have them is malformed
     */
    default Map<String, ChatTemplateText> chatTemplates() throws IOException {
        return Map.of();
    }

    /** Whether the model was trained with {@link #bos()} in front of each text. */
    boolean addsBos();

    /** What it is made of, for programs that write it in another format. Empty unless a tokenizer overrides this. */
    default Optional<TokenizerParts> parts() {
        return Optional.empty();
    }

    /** The token that fills rows, if there is one. */
    default OptionalInt pad() {
        return OptionalInt.empty();
    }

    /**
     * A text with the special tokens with which the model was trained. Unless a tokenizer overrides this, these are {@link #bos()}
     * if it {@linkplain #addsBos adds} that.
     *
     * @param ids of the text, from {@link #encode}
     */
    default EncodedText withSpecialTokens(int[] ids) {
        return addsBos()
                ? EncodedText.of(new int[] {bos().getAsInt()}).followedBy(EncodedText.of(ids))
                : EncodedText.of(ids);
    }

    /**
     * Two texts with the special tokens with which the model was trained, such as {@code [CLS] first [SEP] second [SEP]}. Unless a
     * tokenizer overrides this, the second follows the first and has no tokens of its own.
     *
     * @throws IllegalArgumentException if the tokenizer does not say how
     */
    default EncodedText withSpecialTokens(int[] first, int[] second) {
        return withSpecialTokens(first).followedBy(EncodedText.of(second));
    }

    /**
     * Writes the files from which {@link #load} restores this tokenizer, each atomically; without the model's {@code
     * generation_config.json}.
     *
     * @param folder is created if it does not exist
     * @throws IOException if a file cannot be written
     */
    void save(Path folder) throws IOException;

    /**
     * Reads the tokenizer of a model's folder: {@code tokenizer.json}, or in older folders {@code vocab.json} and {@code merges.txt},
     * or {@code vocab.txt}.
     *
     * @throws IOException if there is none, or it cannot be read; the message names the file and the remedy
     */
    static Tokenizer load(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(folder.toString(), null, "the folder of the tokenizer does not exist");
        }
        TokenizerFiles files = TokenizerFiles.read(folder);
        return ByteTokenizer.isDescribedBy(files) ? new ByteTokenizer(files) : new HuggingFaceTokenizer(files);
    }
}
