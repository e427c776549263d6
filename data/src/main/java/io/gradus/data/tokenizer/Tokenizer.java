package io.gradus.data.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Turns text into the token ids of one model, and back. Safe for use by several threads.
 *
 * <p>A special token that is spelt out in a text, such as {@code <|endoftext|>}, becomes that token, as it does in
 * Hugging Face transformers.
 *
 * {@snippet :
 * Tokenizer tokenizer = Tokenizer.load(Path.of("my-llama"));
 * int[] ids = tokenizer.encode("public static void");
 * String text = tokenizer.decode(ids); // the text again
 * }
 */
public interface Tokenizer {

    /**
     * The tokens of a text, without any that a model wants in front or behind.
     *
     * @throws IllegalArgumentException when the text holds half a surrogate pair, which is no character
     */
    int[] encode(String text);

    /** The text of some tokens. Special tokens, and ids that no token has, are left out; bad UTF-8 becomes U+FFFD. */
    String decode(int[] ids);

    /** The text of some tokens, special ones spelt out, so that one sees them; bad UTF-8 becomes U+FFFD. */
    default String spell(int[] ids) {
        return decode(ids);
    }

    /** One more than the largest id. The model's own vocabulary may be larger, never smaller. */
    int vocabSize();

    /** The token that begins a text, if the model has one. */
    OptionalInt bos();

    /** The token that ends a text, if the model has one. */
    OptionalInt eos();

    /** Every token at which a generated text ends; {@link #eos()} is among them. Chat models have several. */
    default Set<Integer> eosIds() {
        return eos().isPresent() ? Set.of(eos().getAsInt()) : Set.of();
    }

    /** Whether the model was trained with {@link #bos()} in front of each text. */
    boolean addsBos();

    /**
     * Writes the files from which {@link #load} makes this tokeniser again, each of them whole or not at all. The
     * model's own {@code generation_config.json} is not among them.
     *
     * @param folder is made when it is missing
     * @throws IOException when a file cannot be written
     */
    void save(Path folder) throws IOException;

    /**
     * The tokeniser in a model's folder: its {@code tokenizer.json}, or GPT-2's {@code vocab.json} and {@code merges.txt}.
     *
     * @throws IOException when it has none, or one that cannot be read; the message names the file and the way out
     */
    static Tokenizer load(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(
                    folder.toString(), null, "there is no such folder; a tokeniser is read from it");
        }
        TokenizerFiles files = TokenizerFiles.read(folder);
        if (files.contents().containsKey(TokenizerFiles.TOKENIZER)) {
            return ByteTokenizer.isDescribedBy(files.tokenizer())
                    ? new ByteTokenizer()
                    : new HuggingFaceTokenizer(files);
        }
        if (Gpt2TokenizerFiles.isDescribedBy(files)) {
            return new HuggingFaceTokenizer(Gpt2TokenizerFiles.withTokenizerJson(files));
        }
        for (String other : new String[] {"tokenizer.model", "vocab.json", "vocab.txt"}) {
            if (files.contents().containsKey(other)) {
                throw new IOException(folder + ": it has a " + other
                        + " but no tokenizer.json; convert it once, in Python:"
                        + " transformers.AutoTokenizer.from_pretrained(\"" + folder + "\").save_pretrained(\"" + folder
                        + "\")");
            }
        }
        throw new IOException(
                folder + ": it has no tokenizer.json; copy the tokeniser's files from the model that this one"
                        + " comes from");
    }
}
