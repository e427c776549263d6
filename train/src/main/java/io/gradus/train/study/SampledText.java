package io.gradus.train.study;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Text of the kind that a model knows, for when nobody has the text that it was trained on: the model writes it itself. It
 * is drawn from the model's own distribution, at temperature 1, so a model's loss on it is about the entropy of what it
 * writes, and no model has a lower one in expectation (Gibbs' inequality): whatever a run changes shows as a higher loss.
 */
final class SampledText {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** A model that ends its texts at once would otherwise be asked forever. */
    private static final int EMPTY_AT_MOST = 100;

    private final LanguageModel model;
    private final Tokenizer tokenizer;
    private final int[] prompt;
    private final Set<Integer> ends;
    private long next;

    /**
     * @param seed of the first document; each has the number after
     * @throws IllegalArgumentException when the tokeniser has no token that begins a text
     */
    SampledText(LanguageModel model, Tokenizer tokenizer, long seed) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.prompt = Prompts.encode(tokenizer, "");
        // Some models never end a text: in what they were trained on, the next one began.
        Set<Integer> ends = new HashSet<>(Prompts.stops(tokenizer));
        tokenizer.bos().ifPresent(ends::add);
        this.ends = Set.copyOf(ends);
        this.next = seed;
    }

    /**
     * Writes documents to a {@code .jsonl} file until they have so many tokens together; none of them is written twice.
     *
     * @throws IOException when the model writes nothing, or the file cannot be written
     */
    void write(Path file, long tokens) throws IOException {
        StringBuilder lines = new StringBuilder();
        int empty = 0;
        for (long written = 0; written < tokens; ) {
            Sampling sampling = new Sampling(1, 0, 1, next++);
            int room = model.contextLength() - prompt.length;
            int[] ids = new TextGeneration(sampling, room, ends, true)
                    .generate(model, prompt, _ -> {})
                    .ids();
            String text = tokenizer.decode(ids);
            if (!text.isBlank()) {
                lines.append(line(text)).append('\n');
                written += ids.length;
            } else if (++empty == EMPTY_AT_MOST) {
                throw new IOException("the model ended " + empty + " texts before their first word; there is no general"
                        + " text to be had from it");
            }
        }
        AtomicFile.write(file, lines.toString());
    }

    private static String line(String text) throws JsonProcessingException {
        return JSON.writeValueAsString(Map.of("text", text));
    }
}
