package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.ModelFolder;
import io.gradus.train.text.ByteTokenizer;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library example in the README compiles and trains. */
class ReadmeTest {
    private static final Pattern JAVA_BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final ByteTokenizer TOKENIZER = new ByteTokenizer();

    @TempDir
    private Path folder;

    @Test
    void theLibraryExampleTrainsEveryWeightAndSavesTheModel() throws Exception {
        Path base = untrainedModel(folder.resolve("base"));
        Path text =
                Files.writeString(folder.resolve("text.txt"), "to be or not to be, that is the question. ".repeat(60));
        Path output = folder.resolve("output");

        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {compiled(example()).toUri().toURL()})) {
            loader.loadClass("Example")
                    .getMethod("run", Path.class, Path.class, Path.class, int.class)
                    .invoke(null, base, text, output, 2);
        }

        var before = Llama.load(base, Device.cpu()).namedParameters();
        var after = Llama.load(output, Device.cpu()).namedParameters();
        assertThat(after.keySet()).isEqualTo(before.keySet());
        assertThat(after)
                .allSatisfy((name, parameter) -> assertThat(parameter.value().toFloats())
                        .as(name)
                        .isNotEqualTo(before.get(name).value().toFloats()));
    }

    private static String example() throws IOException {
        Matcher block = JAVA_BLOCK.matcher(Files.readString(Path.of("..", "README.md")));
        assertThat(block.find()).as("a java block in README.md").isTrue();
        return block.group(1);
    }

    /** Puts the lines of the example into a method, and that into a class file. */
    private Path compiled(String lines) throws IOException {
        Path source = Files.writeString(folder.resolve("Example.java"), """
            import io.gradus.core.*;
            import io.gradus.nn.model.*;
            import io.gradus.nn.model.LanguageModel.Input;
            import io.gradus.optim.*;
            import io.gradus.train.*;
            import io.gradus.train.data.*;
            import io.gradus.train.data.Batches.Batch;
            import io.gradus.train.text.*;
            import java.nio.file.Path;

            public class Example {
                public static void run(Path folder, Path text, Path output, int steps) throws Exception {
            %s
                }
            }
            """.formatted(lines));
        int status = ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-classpath", System.getProperty("java.class.path"), source.toString());
        assertThat(status).as("javac's exit code").isZero();
        return folder;
    }

    private static Path untrainedModel(Path folder) throws IOException {
        LlamaConfig config = LlamaConfig.of(TOKENIZER.vocabSize(), 16, 24, 1, 2, 1, 128);
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), config.toJson().toString());
        new ModelFolder(folder).save(new Llama(config, WeightSource.random(Device.cpu(), 1)), TOKENIZER, folder);
        return folder;
    }
}
