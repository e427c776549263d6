package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.examples.NumberedDocument.Entry;
import io.gradus.examples.NumberedDocument.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * The numbers in {@code docs/backpropagation.md} are those that Gradus computes, and those of the transformer are also those
 * that PyTorch computed: {@code docs/backpropagation/generate.py} wrote them.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BackpropagationTest {
    private static final Path DOCUMENT = Snippets.root().resolve("docs/backpropagation.md");
    private static final Path FOLDER = Snippets.root().resolve("docs/backpropagation");
    private static final String TRANSFORMER = "8. One training step of a transformer: ";
    /** Expressions of that section that PyTorch has no counterpart for. */
    private static final Set<String> WITHOUT_FIXTURE =
            Set.of("Math.log(5)", "model.forward(Input.of(ids.reshape(1, 5))).crossEntropy(targets.reshape(1, 5))");

    private static final String IMPORTS = """
        import io.gradus.autograd.*;
        import io.gradus.core.*;
        import io.gradus.examples.ScalarAutograd.Value;
        import io.gradus.nn.model.*;
        import io.gradus.nn.model.PretrainedModel.Input;
        import io.gradus.nn.model.decoder.*;
        import io.gradus.nn.model.llama.*;
        import io.gradus.optim.*;
        import java.nio.file.Path;
        import java.util.*;
        import java.util.function.*;
        import java.util.stream.*;
        """;

    private NumberedDocument document;
    private Map<String, List<Double>> expected;
    private final Map<String, Object> results = new LinkedHashMap<>();

    @BeforeAll
    void runDocument(@TempDir Path folder) throws Exception {
        String markdown = Files.readString(DOCUMENT);
        document = new NumberedDocument(markdown);
        expected = new ObjectMapper()
                .readValue(FOLDER.resolve("expected.json").toFile(), new TypeReference<Map<String, List<Double>>>() {});
        Set<String> shown = document.entries().stream().map(Entry::expression).collect(Collectors.toSet());
        Map<Boolean, List<String>> more = expected.keySet().stream()
                .filter(key -> !shown.contains(key))
                .collect(Collectors.partitioningBy(key -> key.endsWith(".grad()")));
        Map<String, List<String>> extra = Map.of("### Update", more.get(true), "## Where to go next", more.get(false));
        String program = document.program("Document", IMPORTS, extra)
                .replace("Path.of(\"docs/", "Path.of(\"" + Snippets.root() + "/docs/");
        Snippets.compile(folder, "Document", program)
                .getMethod("run", Map.class)
                .invoke(null, results);
        if (Boolean.getBoolean("gradus.docs.update")) {
            Files.writeString(DOCUMENT, document.withResults(results));
            document = new NumberedDocument(Files.readString(DOCUMENT));
        }
    }

    @Test
    void everyNumberIsWhatGradusComputes() {
        assertThat(document.entries()).hasSizeGreaterThan(40).allSatisfy(entry -> {
            Result result = (Result) results.get(entry.section() + ": " + entry.expression());
            assertThat(entry.matches(result))
                    .as("line %d should be %s", entry.line() + 1, String.join("\n", entry.lines(result)))
                    .isTrue();
        });
    }

    @Test
    void everyNumberOfTheTransformerIsWhatPyTorchComputes() {
        List<String> shown = document.entries().stream()
                .filter(entry -> TRANSFORMER.startsWith(entry.section()))
                .map(Entry::expression)
                .filter(expression -> !WITHOUT_FIXTURE.contains(expression))
                .toList();
        assertThat(shown).isNotEmpty();
        assertThat(expected).containsKeys(shown.toArray(String[]::new));
        assertThat(expected).allSatisfy((expression, numbers) -> {
            double[] ours = ((Result) results.get(TRANSFORMER + expression)).elements();
            double tolerance = expression.equals("lossAtEnd") ? 0.01 : 1e-5; // rounding errors grow in 150 steps
            assertThat(ours).as(expression).hasSize(numbers.size());
            for (int i = 0; i < ours.length; i++) {
                assertThat(ours[i]).as("%s, element %d", expression, i).isCloseTo(numbers.get(i), within(tolerance));
            }
        });
    }

    @Test
    void lossOfLlamaClassEqualsLossOfExplicitNetwork() {
        double explicit = ((Result) results.get(TRANSFORMER + "loss")).elements()[0];
        for (String expression : WITHOUT_FIXTURE) {
            if (expression.startsWith("model.forward")) {
                double loss = ((Result) results.get(TRANSFORMER + expression)).elements()[0];
                assertThat(loss).isCloseTo(explicit, within(1e-5));
            }
        }
    }

    @Test
    void everyLongNumberInProseIsAlsoInAValuesBlock() {
        List<String> written = new ArrayList<>();
        document.entries().forEach(entry -> written.addAll(entry.numbers()));
        Pattern number = Pattern.compile("\\d+\\.\\d{3,}");

        assertThat(document.prose())
                .allSatisfy((line, text) -> assertThat(
                                number.matcher(text).results().map(found -> found.group()))
                        .as("line %d: %s", line + 1, text)
                        .allSatisfy(found -> assertThat(written).contains(found)));
    }

    @Test
    void codeExcerptsAreLinesOfTheSourceFileNamedBesideThem() throws IOException {
        var excerpts = Pattern.compile("```java from (\\w+\\.java)\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(DOCUMENT))
                .results()
                .toList();

        assertThat(excerpts).isNotEmpty();
        for (var excerpt : excerpts) {
            String source = Files.readString(Path.of("src/main/java/io/gradus/examples", excerpt.group(1)));
            assertThat(source).contains(excerpt.group(2));
        }
    }

    @Test
    void drawingOfTheNeuronIsWhatScalarAutogradDraws() throws IOException {
        ScalarAutograd.Value y = ScalarAutograd.neuron();
        y.backward();

        assertThat(FOLDER.resolve("neuron.svg")).hasContent(ScalarGraph.svg(y));
    }
}
