package io.gradus.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.data.tokenizer.huggingface.ByteLevelAlphabet;
import io.gradus.data.tokenizer.huggingface.TokenizerFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One token per UTF-8 byte: ids 0 to 255 are the bytes, 256 is {@value #END_OF_TEXT}, which is also the bos token. It needs
 * no training and no native library, and can encode any text.
 *
 * <p>{@link #save} writes a {@code tokenizer.json} with a byte-level BPE without merges, from which Hugging Face transformers
 * computes the same ids.
 */
public final class ByteTokenizer implements Tokenizer {
    /** The text of the end-of-text token. */
    public static final String END_OF_TEXT = "<|endoftext|>";

    private static final int END_OF_TEXT_ID = 256;
    /** Bytes of a file that may be a description; a larger file is not read for it. */
    private static final int MAX_DESCRIPTION = 100_000;

    private final @Nullable TokenizerFiles files;

    /** A tokenizer without files. */
    public ByteTokenizer() {
        this(null);
    }

    /**
     * A tokenizer that was loaded.
     *
     * @param files which may have chat templates; null if there are none
     */
    ByteTokenizer(@Nullable TokenizerFiles files) {
        this.files = files;
    }

    @Override
    public int[] encode(String text) {
        Surrogates.check(text);
        IntStream.Builder ids = IntStream.builder();
        int from = 0;
        for (int to = text.indexOf(END_OF_TEXT); to >= 0; to = text.indexOf(END_OF_TEXT, from)) {
            bytes(text.substring(from, to), ids);
            ids.add(END_OF_TEXT_ID);
            from = to + END_OF_TEXT.length();
        }
        bytes(text.substring(from), ids);
        return ids.build().toArray();
    }

    private static void bytes(String text, IntStream.Builder ids) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            ids.add(b & 0xFF);
        }
    }

    @Override
    public TokenPlaces places(String text) {
        int[] ids = encode(text);
        int[] starts = new int[ids.length];
        int[] ends = new int[ids.length];
        int token = 0;
        for (int at = 0; at < text.length(); ) {
            boolean end = ids[token] == END_OF_TEXT_ID;
            int next = at + (end ? END_OF_TEXT.length() : Character.charCount(text.codePointAt(at)));
            int tokens = end ? 1 : text.substring(at, next).getBytes(StandardCharsets.UTF_8).length;
            Arrays.fill(starts, token, token + tokens, at);
            Arrays.fill(ends, token, token + tokens, next);
            token += tokens;
            at = next;
        }
        return new TokenPlaces.Known(ids, starts, ends);
    }

    @Override
    public String decode(int[] ids) {
        byte[] bytes = new byte[ids.length];
        int length = 0;
        for (int id : ids) {
            if (id >= 0 && id < END_OF_TEXT_ID) {
                bytes[length++] = (byte) id;
            }
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    @Override
    public String spell(int[] ids) {
        byte[] end = END_OF_TEXT.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            if (id == END_OF_TEXT_ID) {
                bytes.writeBytes(end);
            } else if (id >= 0 && id < END_OF_TEXT_ID) {
                bytes.write(id);
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public int vocabSize() {
        return END_OF_TEXT_ID + 1;
    }

    @Override
    public OptionalInt bos() {
        return OptionalInt.of(END_OF_TEXT_ID);
    }

    @Override
    public OptionalInt eos() {
        return OptionalInt.of(END_OF_TEXT_ID);
    }

    /** False, as in GPT-2: the end-of-text token of one text is in front of the next. */
    @Override
    public boolean addsBos() {
        return false;
    }

    @Override
    public Map<String, ChatTemplateText> chatTemplates() throws IOException {
        return files == null ? Map.of() : ChatTemplateText.read(files);
    }

    @Override
    public Optional<TokenizerParts> parts() {
        Map<String, Integer> special = Map.of("bos_token", END_OF_TEXT_ID, "eos_token", END_OF_TEXT_ID);
        return Optional.of(TokenizerParts.of(description(), special, List.of(), List.of()));
    }

    @Override
    public void save(Path folder) throws IOException {
        if (files != null) {
            files.save(folder);
            return;
        }
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode config = mapper.createObjectNode()
                .put("tokenizer_class", "PreTrainedTokenizerFast")
                .put("bos_token", END_OF_TEXT)
                .put("eos_token", END_OF_TEXT)
                .put("add_bos_token", false)
                .put("clean_up_tokenization_spaces", false);
        write(mapper, folder.resolve(TokenizerFiles.TOKENIZER), description());
        write(mapper, folder.resolve(TokenizerFiles.TOKENIZER_CONFIG), config);
    }

    private static void write(ObjectMapper mapper, Path file, JsonNode content) throws IOException {
        String json = mapper.writerWithDefaultPrettyPrinter().writeValueAsString(content);
        AtomicFile.write(file, json + "\n");
    }

    /** Whether a folder's {@code tokenizer.json} was written by {@link #save}. */
    static boolean isDescribedBy(TokenizerFiles files) throws IOException {
        return files.contents().getOrDefault(TokenizerFiles.TOKENIZER, new byte[0]).length < MAX_DESCRIPTION
                && files.json(TokenizerFiles.TOKENIZER).equals(description());
    }

    private static ObjectNode description() {
        ObjectNode root = new ObjectMapper().createObjectNode().put("version", "1.0");
        root.putNull("truncation").putNull("padding");
        root.putArray("added_tokens")
                .addObject()
                .put("id", END_OF_TEXT_ID)
                .put("content", END_OF_TEXT)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
        root.putNull("normalizer");
        byteLevel(root.putObject("pre_tokenizer"));
        root.putNull("post_processor");
        byteLevel(root.putObject("decoder"));
        ObjectNode model = root.putObject("model").put("type", "BPE");
        model.putNull("dropout")
                .putNull("unk_token")
                .putNull("continuing_subword_prefix")
                .putNull("end_of_word_suffix")
                .put("fuse_unk", false)
                .put("byte_fallback", false)
                .put("ignore_merges", false);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int b = 0; b < END_OF_TEXT_ID; b++) {
            vocabulary.put(Character.toString(ByteLevelAlphabet.character(b)), b);
        }
        vocabulary.put(END_OF_TEXT, END_OF_TEXT_ID);
        model.putArray("merges");
        return root;
    }

    private static void byteLevel(ObjectNode part) {
        part.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
    }

    /** A description: {@code bytes, 257 tokens}. */
    @Override
    public String toString() {
        return "bytes, " + vocabSize() + " tokens";
    }
}
