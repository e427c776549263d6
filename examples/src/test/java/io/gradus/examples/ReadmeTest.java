package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.nn.model.LanguageModel;
import io.gradus.core.Device;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library example in the README compiles and trains. */
class ReadmeTest {
    private static final ByteTokenizer TOKENIZER = new ByteTokenizer();

    @TempDir
    private Path folder;

    @Test
    void theLibraryExampleTrainsEveryWeightAndSavesTheModel() throws Exception {
        Path base = untrainedModel(folder.resolve("base"));
        Path text =
                Files.writeString(folder.resolve("text.txt"), "to be or not to be, that is the question. ".repeat(60));
        Path output = folder.resolve("output");

        Snippets.compile(folder, "Example", program())
                .getMethod("run", Path.class, Path.class, Path.class, int.class)
                .invoke(null, base, text, output, 2);

        var before = LanguageModel.load(base, Device.cpu()).namedParameters();
        var after = LanguageModel.load(output, Device.cpu()).namedParameters();
        assertThat(after.keySet()).isEqualTo(before.keySet());
        assertThat(after)
                .allSatisfy((name, parameter) -> assertThat(parameter.value().toFloats())
                        .as(name)
                        .isNotEqualTo(before.get(name).value().toFloats()));
    }

    /** The example's lines as the body of a method. */
    private static String program() throws IOException {
        List<String> blocks =
                Snippets.javaBlocks(Files.readString(Snippets.root().resolve("README.md")));
        assertThat(blocks).hasSize(1);
        return """
            import io.gradus.core.*;
            import io.gradus.nn.model.*;
            import io.gradus.nn.model.LanguageModel.Input;
            import io.gradus.nn.model.llama.*;
            import io.gradus.optim.*;
            import io.gradus.train.*;
            import io.gradus.data.*;
            import io.gradus.data.Batches.Batch;
            import io.gradus.data.tokenizer.*;
            import io.gradus.data.*;
            import io.gradus.data.Batches.Batch;
            import io.gradus.data.tokenizer.*;
            import java.nio.file.Path;

            public class Example {
                public static void run(Path folder, Path text, Path output, int steps) throws Exception {
            %s
                }
            }
            """.formatted(blocks.getFirst());
    }

    private static Path untrainedModel(Path folder) throws IOException {
        LlamaConfig config = LlamaConfig.of(TOKENIZER.vocabSize(), 16, 24, 1, 2, 1, 128);
        TOKENIZER.save(folder);
        config.build(WeightSource.random(Device.cpu(), 1)).save(folder);
        return folder;
    }
}
