package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.data.tokenizer.huggingface.NativeTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The tokenizer of a {@code tokenizer.json}, computed by Hugging Face's own tokenizers library through DJL's binding, so that ids
 * equal those of transformers. The binding's jar has the native library for Linux (x86_64, aarch64), macOS (aarch64) and Windows
 * (x86_64). Each process copies it into a new private folder below {@code java.io.tmpdir}, loads the copy, and deletes it.
 *
 * <p>Text is never truncated or padded, whatever the file says. Decoding does not remove spaces before punctuation ({@code
 * clean_up_tokenization_spaces}), so decoding restores the encoded text.
 */
public final class HuggingFaceTokenizer implements Tokenizer {
    private final TokenizerFiles files;
    private final NativeTokenizer library;
    private final int vocabSize;
    private final SpecialTokens special;
    private final boolean addsBos;

    /**
     * Reads {@code tokenizer.json} and the configuration files next to it.
     *
     * @throws IOException if a file is missing or malformed; the message names it
     */
    public HuggingFaceTokenizer(Path folder) throws IOException {
        this(TokenizerFiles.read(folder));
    }

    HuggingFaceTokenizer(TokenizerFiles files) throws IOException {
        this.files = files;
        TokenizerVocabulary vocabulary =
                new TokenizerVocabulary(files.tokenizer(), files.path(TokenizerFiles.TOKENIZER));
        vocabSize = vocabulary.size();
        special = SpecialTokens.read(files, vocabulary);
        library = open(files);
        addsBos = special.bos().isPresent() && special.addBosToken().orElseGet(this::postProcessorAddsBos);
    }

    /** Creates the library's tokenizer, without truncation and padding. */
    private static NativeTokenizer open(TokenizerFiles files) throws IOException {
        ObjectNode json = files.tokenizer().deepCopy();
        json.putNull("truncation").putNull("padding");
        try {
            return NativeTokenizer.of(json.toString());
        } catch (IOException e) {
            throw new IOException(files.path(TokenizerFiles.TOKENIZER) + ": " + e.getMessage(), e);
        }
    }

    /** Runs the post-processor, because several kinds of it add bos. */
    private boolean postProcessorAddsBos() {
        int[] ids = library.encode("", true);
        return ids.length > 0 && ids[0] == special.bos().orElse(-1);
    }

    @Override
    public int[] encode(String text) {
        Surrogates.check(text);
        return library.encode(text, false);
    }

    @Override
    public String decode(int[] ids) {
        return library.decode(ids, true);
    }

    @Override
    public String spell(int[] ids) {
        return library.decode(ids, false);
    }

    @Override
    public int vocabSize() {
        return vocabSize;
    }

    @Override
    public OptionalInt bos() {
        return special.bos();
    }

    @Override
    public OptionalInt eos() {
        return special.eos();
    }

    @Override
    public Set<Integer> eosIds() {
        return Collections.unmodifiableSet(special.eosIds());
    }

    @Override
    public boolean addsBos() {
        return addsBos;
    }

    @Override
    public void save(Path folder) throws IOException {
        files.save(folder);
    }

    /** A description: {@code tokenizer.json of FOLDER, 512 tokens}. */
    @Override
    public String toString() {
        return TokenizerFiles.TOKENIZER + " of " + files.folder() + ", " + vocabSize + " tokens";
    }
}
