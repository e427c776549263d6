package io.gradus.data.tokenizer;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The tokenizer of a {@code tokenizer.json}, computed by Hugging Face's own tokenizers library through DJL's binding, so that ids
 * equal those of transformers. The binding's jar has the native library for Linux (x86_64, aarch64), macOS (aarch64) and Windows
 * (x86_64).
 *
 * <p>Text is never truncated or padded, whatever the file says. Decoding does not remove spaces before punctuation ({@code
 * clean_up_tokenization_spaces}), so decoding restores the encoded text.
 *
 * <p>The binding would report its use over the network on some clouds, and would download another build of its library on
 * machines with CUDA. This class disables both with the system properties {@code OPT_OUT_TRACKING=true} and
 * {@code RUST_FLAVOR=cpu}, unless they are set already.
 */
public final class HuggingFaceTokenizer implements Tokenizer {
    // Without modelMaxLength, the binding logs a warning.
    private static final Map<String, String> OPTIONS = Map.of(
            "addSpecialTokens", "false",
            "truncation", "do_not_truncate",
            "padding", "do_not_pad",
            "modelMaxLength", Integer.toString(Integer.MAX_VALUE));

    private final TokenizerFiles files;
    private final ai.djl.huggingface.tokenizers.HuggingFaceTokenizer library;
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

    private static ai.djl.huggingface.tokenizers.HuggingFaceTokenizer open(TokenizerFiles files) throws IOException {
        setIfAbsent("OPT_OUT_TRACKING", "true");
        setIfAbsent("RUST_FLAVOR", "cpu");
        byte[] json = files.contents().get(TokenizerFiles.TOKENIZER);
        try {
            return ai.djl.huggingface.tokenizers.HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(json), OPTIONS);
        } catch (LinkageError e) {
            throw new IOException(
                    files.path(TokenizerFiles.TOKENIZER) + ": the native library of the tokenizers does not load here ("
                            + System.getProperty("os.name") + " " + System.getProperty("os.arch") + "): "
                            + e.getMessage() + "; only a byte-level model works without it",
                    e);
        } catch (RuntimeException e) {
            throw new IOException(files.path(TokenizerFiles.TOKENIZER) + ": " + e.getMessage(), e);
        }
    }

    private static void setIfAbsent(String property, String value) {
        if (System.getenv(property) == null && System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** Runs the post-processor, because several kinds of it add bos. */
    private boolean postProcessorAddsBos() {
        long[] ids = library.encode("", true, false).getIds();
        return ids.length > 0 && ids[0] == special.bos().orElse(-1);
    }

    @Override
    public int[] encode(String text) {
        Surrogates.check(text);
        return Arrays.stream(library.encode(text, false, false).getIds())
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    @Override
    public String decode(int[] ids) {
        return library.decode(Arrays.stream(ids).asLongStream().toArray(), true);
    }

    @Override
    public String spell(int[] ids) {
        return library.decode(Arrays.stream(ids).asLongStream().toArray(), false);
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
