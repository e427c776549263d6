package io.gradus.train;

import io.gradus.core.Device;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.random.RandomGeneratorFactory;

/** A model with random weights that a test trains in seconds, and text that it can learn from. */
public final class TinyModel {
    private TinyModel() {}

    /** A byte-level Llama of one layer, grouped heads and a context of 32, as a Hugging Face folder. */
    public static Path write(Path folder) {
        return write(folder, LlamaConfig.of(257, 16, 24, 1, 2, 1, 32));
    }

    /** A model with random weights and a byte tokenizer, as a Hugging Face folder. */
    public static Path write(Path folder, ModelConfig config) {
        try {
            new ByteTokenizer().save(folder);
            config.build(WeightSource.random(Device.cpu(1), 7)).save(folder);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A file with sentences of few words, the same each time. */
    public static Path writeText(Path file, int sentences) {
        String[] who = {"The cat", "A dog", "My friend", "The old man"};
        String[] does = {"sees", "finds", "likes", "paints"};
        String[] what = {"the sea", "a red house", "two birds", "the moon"};
        var random = RandomGeneratorFactory.of("L64X128MixRandom").create(11);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < sentences; i++) {
            text.append(who[random.nextInt(4)]).append(' ').append(does[random.nextInt(4)]);
            text.append(' ').append(what[random.nextInt(4)]).append(".\n");
        }
        try {
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
