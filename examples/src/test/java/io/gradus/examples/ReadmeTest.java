package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.data.serve.Classifier;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java blocks in the README compile and train. */
class ReadmeTest {
    private static final ByteTokenizer TOKENIZER = new ByteTokenizer();

    @TempDir
    private Path folder;

    @Test
    void trainingLoopChangesEveryWeightAndSavesModelAndTokenizer() throws Exception {
        assertTrainsEveryWeight(blocks().get(1));
    }

    @Test
    void recipeRunChangesEveryWeightAndSavesModelAndTokenizer() throws Exception {
        assertTrainsEveryWeight(blocks().getLast());
    }

    @Test
    void classifierIsTrainedAndUsed() throws Exception {
        String block = blocks().getFirst();
        assertThat(block).contains("epochs(6.0)");
        Path data = Files.copy(Snippets.root().resolve("examples/data/issues.csv"), folder.resolve("issues.csv"));
        String quick = block.replace("epochs(6.0)", "steps(1)")
                .replace("\"examples/data/issues.csv\"", '"' + data.toString() + '"')
                .replace("\"issues\"", '"' + folder.resolve("issues").toString() + '"');
        Snippets.compile(folder, "Example", program(quick))
                .getMethod("run", Path.class, Path.class, Path.class, int.class)
                .invoke(null, folder, folder, folder, 1);
        assertThat(Classifier.load(folder.resolve("issues")).labels().names()).containsExactly("bug", "feature");
    }

    private static List<String> blocks() throws IOException {
        List<String> blocks =
                Snippets.javaBlocks(Files.readString(Snippets.root().resolve("README.md")));
        assertThat(blocks).hasSize(3);
        return blocks;
    }

    private void assertTrainsEveryWeight(String block) throws Exception {
        Path base = untrainedModel(folder.resolve("base"));
        Path text =
                Files.writeString(folder.resolve("text.txt"), "to be or not to be, that is the question. ".repeat(200));
        Path output = folder.resolve("output");

        Snippets.compile(folder, "Example", program(block))
                .getMethod("run", Path.class, Path.class, Path.class, int.class)
                .invoke(null, base, text, output, 2);

        var before = LanguageModel.load(base, Device.cpu()).namedParameters();
        var after = LanguageModel.load(output, Device.cpu()).namedParameters();
        assertThat(after.keySet()).isEqualTo(before.keySet());
        assertThat(after)
                .allSatisfy((name, parameter) -> assertThat(parameter.value().toFloats())
                        .as(name)
                        .isNotEqualTo(before.get(name).value().toFloats()));
        assertThat(Tokenizer.load(output).vocabSize()).isEqualTo(TOKENIZER.vocabSize());
    }

    /** A block as the body of a method. */
    private static String program(String block) {
        return """
            import io.gradus.core.*;
            import io.gradus.corpora.BuiltInModel;
            import io.gradus.data.*;
            import io.gradus.data.Batches.Batch;
            import io.gradus.data.serve.*;
            import io.gradus.data.tokenizer.*;
            import io.gradus.nn.model.*;
            import io.gradus.nn.model.PretrainedModel.Input;
            import io.gradus.optim.*;
            import io.gradus.train.*;
            import io.gradus.train.recipe.*;
            import java.nio.file.Path;

            public class Example {
                public static void run(Path folder, Path text, Path output, int steps) throws Exception {
            %s
                }
            }
            """.formatted(block);
    }

    private static Path untrainedModel(Path folder) throws IOException {
        LlamaConfig config = LlamaConfig.of(TOKENIZER.vocabSize(), 16, 24, 1, 2, 1, 128);
        TOKENIZER.save(folder);
        config.build(WeightSource.random(Device.cpu(), 1)).save(folder);
        return folder;
    }
}
