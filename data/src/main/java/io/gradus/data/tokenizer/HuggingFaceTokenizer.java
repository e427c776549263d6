package io.gradus.data.tokenizer;

import io.gradus.data.tokenizer.huggingface.PlacedIds;
import io.gradus.data.tokenizer.huggingface.Splitting;
import io.gradus.data.tokenizer.huggingface.TokenizerFiles;
import io.gradus.data.tokenizer.huggingface.TransformersTokenizer;
import io.gradus.data.tokenizer.huggingface.TypedIds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The tokenizer that {@code AutoTokenizer} of transformers 5 loads from a folder, computed by Hugging Face's own tokenizers library
 * through DJL's binding. {@code tokenizer_class} and {@code model_type} decide which parts of {@code tokenizer.json} have an effect,
 * as they do there; a class that is not known here is an error. All files are checked before the library reads them. The binding's jar has the native library for Linux (x86_64, aarch64), macOS (aarch64) and Windows
 * (x86_64). Each process copies it into a new private folder below {@code java.io.tmpdir}, loads the copy, and deletes it.
 *
 * <p>Text is never truncated or padded, whatever the file says. Decoding does not remove spaces before punctuation ({@code
 * clean_up_tokenization_spaces}), so decoding restores the encoded text.
 */
public final class HuggingFaceTokenizer implements Tokenizer {
    private final TransformersTokenizer tokenizer;
    private final int vocabSize;
    private final SpecialTokens special;

    /**
     * Reads the tokenizer of a folder.
     *
     * @throws IOException if a file is missing or malformed; the message names it
     */
    public HuggingFaceTokenizer(Path folder) throws IOException {
        this(TokenizerFiles.read(folder));
    }

    HuggingFaceTokenizer(TokenizerFiles files) throws IOException {
        tokenizer = new TransformersTokenizer(files);
        vocabSize = tokenizer.size();
        special = SpecialTokens.read(tokenizer);
    }

    @Override
    public int[] encode(String text) {
        Surrogates.check(text);
        return tokenizer.encode(text);
    }

    @Override
    public TokenPlaces places(String text) {
        Surrogates.check(text);
        PlacedIds placed = tokenizer.places(text);
        return new TokenPlaces.Known(placed.ids(), placed.starts(), placed.ends());
    }

    /** Where a long text may be cut. */
    Splitting splitting() {
        return tokenizer.splitting();
    }

    @Override
    public String decode(int[] ids) {
        return tokenizer.decode(ids, true);
    }

    @Override
    public String spell(int[] ids) {
        return tokenizer.decode(ids, false);
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

    /** Whether it is an added token with a text other than white space. */
    @Override
    public boolean isControl(int id) {
        return tokenizer.isAdded(id) && !spell(new int[] {id}).isBlank();
    }

    @Override
    public Map<String, String> specialTokens() {
        return tokenizer.named();
    }

    @Override
    public Map<String, ChatTemplateText> chatTemplates() throws IOException {
        return ChatTemplateText.read(tokenizer.files());
    }

    @Override
    public boolean addsBos() {
        int[] around = tokenizer.withSpecialTokens(new int[0]);
        return bos().isPresent() && around.length > 0 && around[0] == bos().getAsInt();
    }

    @Override
    public Optional<TokenizerParts> parts() {
        Map<String, Integer> ids = new LinkedHashMap<>();
        tokenizer.named().keySet().forEach(name -> tokenizer.namedId(name).ifPresent(id -> ids.put(name, id)));
        return Optional.of(TokenizerParts.of(tokenizer.json(), ids, tokenizer.before(), tokenizer.after()));
    }

    @Override
    public OptionalInt pad() {
        return tokenizer.namedId("pad_token");
    }

    @Override
    public EncodedText withSpecialTokens(int[] ids) {
        return EncodedText.of(tokenizer.withSpecialTokens(ids));
    }

    @Override
    public EncodedText withSpecialTokens(int[] first, int[] second) {
        TypedIds both = tokenizer.withSpecialTokens(first, second);
        return new EncodedText(both.ids(), both.types());
    }

    @Override
    public void save(Path folder) throws IOException {
        tokenizer.files().save(folder);
    }

    /** A description: {@code tokenizer.json of FOLDER, 512 tokens}. */
    @Override
    public String toString() {
        return TokenizerFiles.TOKENIZER + " of " + tokenizer.files().folder() + ", " + vocabSize + " tokens";
    }
}
