package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example that serves a model through LangChain4j is a build of its own, so that its dependencies stay out of this one. */
class LangChain4jBuildIT {
    @TempDir
    private Path folder;

    @Test
    void answersThroughTheInterfaceOfLangChain4j() throws Exception {
        ExternalBuild build = ExternalBuild.of("langchain4j", "../examples/langchain4j");
        List<Path> jars = build.compile();
        assertThat(ExternalBuild.names(jars)).contains("gradus-data", "langchain4j-core");
        Path model = Files.createDirectories(folder.resolve("model"));
        Path source = ExternalBuild.ROOT.resolve("corpora/src/main/resources/io/gradus/corpora/tiny-llama");
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            ExternalBuild.copy(source.resolve(file), model.resolve(file));
        }
        Files.writeString(model.resolve("chat_template.jinja"), "{{ messages[0].content }}");
        String answer = Processes.run(
                folder,
                List.of(
                        Processes.tool("java"),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        build.path(jars),
                        "com.example.GradusChatModel",
                        model.toString(),
                        "Returns the number of "));
        assertThat(answer).isNotBlank();
    }
}
