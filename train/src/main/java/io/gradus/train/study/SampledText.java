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
 * Text that a model writes itself, in place of its unknown training text. It is sampled at temperature 1, so the model's expected
 * loss on it is the entropy of its own distribution, and no other model has a lower one (Gibbs' inequality): any change of the
 * model raises the loss.
 */
final class SampledText {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Stops the sampling if the model ends its texts at once. */
    private static final int EMPTY_AT_MOST = 100;

    private final LanguageModel model;
    private final Tokenizer tokenizer;
    private final int[] prompt;
    private final Set<Integer> ends;
    private long next;

    /**
     * @param seed of the first document; each further document has the next one
     * @throws IllegalArgumentException if the tokenizer has no bos token
     */
    SampledText(LanguageModel model, Tokenizer tokenizer, long seed) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.prompt = Prompts.encode(tokenizer, "");
        // Some models were trained on concatenated texts and write bos instead of eos.
        Set<Integer> ends = new HashSet<>(Prompts.stops(tokenizer));
        tokenizer.bos().ifPresent(ends::add);
        this.ends = Set.copyOf(ends);
        this.next = seed;
    }

    /**
     * Writes documents to a {@code .jsonl} file until they have this many tokens in total. Each call samples new documents.
     *
     * @throws IOException if the model writes nothing, or the file cannot be written
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
                throw new IOException("the model ended " + empty + " texts before their first word, so it"
                        + " cannot write general text");
            }
        }
        AtomicFile.write(file, lines.toString());
    }

    private static String line(String text) throws JsonProcessingException {
        return JSON.writeValueAsString(Map.of("text", text));
    }
}
