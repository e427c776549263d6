package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The script with which {@code ./gradus jshell} starts, in a JShell inside this JVM. */
class JShellStartupTest {
    private static final Path SCRIPT = Path.of("src/main/jshell/gradus.jsh");

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final PrintStream standardOutput = System.out;
    private JShell shell;

    @BeforeEach
    void start() throws IOException {
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8)); // local snippets print here
        shell = JShell.builder().executionEngine("local").build();
        for (String entry : System.getProperty("java.class.path").split(System.getProperty("path.separator"))) {
            shell.addToClasspath(entry);
        }
        evaluate(Files.readString(SCRIPT));
    }

    @AfterEach
    void stop() {
        shell.close();
        System.setOut(standardOutput);
    }

    @Test
    void everythingUsedInTheGreetingIsImported() {
        String greeting = printed.toString(StandardCharsets.UTF_8);
        assertThat(greeting).contains("imported");
        printed.reset();

        greeting.lines()
                .filter(line -> line.startsWith("    "))
                .map(String::strip)
                .forEach(this::evaluate);

        assertThat(printed.toString(StandardCharsets.UTF_8).strip().split("\\s+"))
                .containsExactly("-0.0599", "-0.1628", "0.2227");
        assertThat(evaluate("model.parameterCount() > 900_000")).isEqualTo("true");
    }

    @Test
    void scalarAutogradEvaluates() {
        assertThat(evaluate("Value.leaf(\"a\", 2).times(Value.leaf(\"b\", 3)).data()"))
                .isEqualTo("6.0");
    }

    /** Evaluates one or more snippets, each of which must be valid, and returns the last one's value. */
    private String evaluate(String source) {
        String value = "";
        String rest = source;
        while (!rest.isBlank()) {
            CompletionInfo snippet = shell.sourceCodeAnalysis().analyzeCompletion(rest);
            for (SnippetEvent event : shell.eval(snippet.source())) {
                assertThat(event.status()).as(snippet.source()).isEqualTo(Snippet.Status.VALID);
                assertThat(event.exception()).as(snippet.source()).isNull();
                value = event.value() == null ? value : event.value();
            }
            rest = snippet.remaining();
        }
        return value;
    }
}
