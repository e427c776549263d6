package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests {@code gradus delta}: diff, info, apply, and one error message without output for each mistake. */
class DeltaCommandTest {
    @TempDir
    private Path folder;

    private Path base = Path.of("");
    private Path tuned = Path.of("");
    private Path delta = Path.of("");

    @BeforeEach
    void train() {
        base = TinyModel.write(folder.resolve("base"));
        tuned = folder.resolve("tuned");
        delta = folder.resolve("delta.safetensors");
        assertThat(gradus(
                                "finetune",
                                "model.path=" + base,
                                "data.train=" + TinyModel.writeText(folder.resolve("text.txt"), 100),
                                "output=" + tuned,
                                "steps=2",
                                "batch_size=2",
                                "max_eval_blocks=2",
                                "sample.max_tokens=0",
                                "warmup_ratio=0")
                        .code())
                .isZero();
    }

    private record Ran(int code, String out, String err) {
        void assertFailed(int expected, String message) {
            assertThat(err).as("standard error").contains(message).doesNotContain("\tat ", "Exception");
            assertThat(out).isEmpty();
            assertThat(code).isEqualTo(expected);
        }
    }

    private static Ran gradus(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = Stream.of(args).map(Object::toString).toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), words);
        return new Ran(code, out.toString(), err.toString());
    }

    private static Ran succeeded(Object... args) {
        Ran ran = gradus(args);
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        return ran;
    }

    private void diff() {
        succeeded("delta", "diff", base, tuned, "-o", delta);
    }

    private static void assertSameWeights(Path model, Path expected) throws IOException {
        assertThat(model.resolve("model.safetensors")).hasSameBinaryContentAs(expected.resolve("model.safetensors"));
    }

    // ---- successful commands ----

    @Test
    void deltaRoundTripReproducesTheTunedModel() throws IOException {
        Ran made = succeeded("delta", "diff", base, tuned, "-o", delta);
        assertThat(made.out())
                .contains(
                        "base      base (SHA-256 ",
                        "tuned     tuned (SHA-256 ",
                        "…), F32",
                        "By layer: ./gradus delta info ")
                .containsPattern("moved     \\d+ of \\d+ tensors, [\\d,]+ of [\\d,]+ numbers")
                .containsPattern("saved     \\S+delta\\.safetensors, \\d+ kB");

        Ran shown = succeeded("delta", "info", delta);
        assertThat(shown.out())
                .containsPattern("\nlayer +numbers +‖Δ‖ +max \\|Δ\\| +‖Δ‖/‖θ₀‖ +BF16 ≠\n")
                .containsPattern("\nembed_tokens +4,112 ")
                .containsPattern("\nlayers\\.0 +[\\d,]+ +[\\d.e-]+ +[\\d.e-]+ +[\\d.]+% +>?[\\d.]+%  █")
                .containsPattern("\ntotal +[\\d,]+ ");

        Path again = folder.resolve("again");
        Ran applied = succeeded("delta", "apply", base, delta, "-o", again);
        assertThat(applied.out())
                .contains("saved   " + again + ", ")
                .endsWith(" tensors, equal to the tuned model bit for bit" + System.lineSeparator());
        assertSameWeights(again, tuned);
        assertThat(succeeded("generate", "--model", again, "--prompt", "The", "--max-tokens", 4)
                        .out())
                .startsWith("The");
    }

    @Test
    void applyTakesFactorsPerFileAndForAllFiles() throws IOException {
        diff();
        for (String[] words : new String[][] {
            {delta + ":0.5", delta + ":0.5"},
            {delta.toString(), delta.toString(), "--factor", "0.5"},
            {delta + ":1.5", delta.toString(), "--factor=-0.5"}
        }) {
            Path sum = folder.resolve("sum" + System.nanoTime());
            Object[] args = Stream.concat(Stream.of("delta", "apply", base, "-o", sum), Stream.of((Object[]) words))
                    .toArray();
            Ran ran = succeeded(args);
            assertThat(ran.out()).contains(" × " + delta).doesNotContain("bit for bit");
            try (SafetensorsCheckpoint expected = SafetensorsCheckpoint.open(tuned);
                    SafetensorsCheckpoint found = SafetensorsCheckpoint.open(sum)) {
                assertThat(found.names()).containsExactlyElementsOf(expected.names());
            }
        }
        Path nothing = folder.resolve("nothing");
        succeeded("delta", "apply", base, delta + ":0", "-o", nothing);
        assertSameWeights(nothing, base);
    }

    @Test
    void filesOfTheTunedModelAreNamedAndRestored() throws IOException {
        Files.writeString(tuned.resolve("generation_config.json"), "{\"eos_token_id\": [1, 2]}");
        Ran made = succeeded("delta", "diff", base, tuned, "-o", delta);
        String files = "generation_config.json: as in the tuned model";
        assertThat(made.out()).contains("files     ", files);
        assertThat(succeeded("delta", "info", delta).out()).contains(files);
        assertThat(new ObjectMapper()
                        .readTree(succeeded("delta", "info", delta, "--json").out())
                        .path("files")
                        .toString())
                .contains("\"generation_config.json\"");

        Path again = folder.resolve("again");
        assertThat(succeeded("delta", "apply", base, delta, "-o", again).out()).contains("files   ", files);
        assertThat(again.resolve("generation_config.json")).hasContent("{\"eos_token_id\": [1, 2]}");

        Files.writeString(tuned.resolve("generation_config.json"), "{}");
        Path other = folder.resolve("other.safetensors");
        succeeded("delta", "diff", base, tuned, "-o", other);
        assertThat(succeeded("delta", "apply", base, delta, other, "-o", folder.resolve("both"))
                        .out()
                        .replaceAll("\\s+", " "))
                .contains("caution generation_config.json: the deltas have different ones, so the base's are kept");
    }

    @Test
    void infoByTensorListsTensors() {
        diff();

        assertThat(succeeded("delta", "info", delta, "--by", "tensor").out())
                .containsPattern("\ntensor +")
                .containsPattern("\nlayers\\.0\\.self_attn\\.q_proj +")
                .containsPattern("\ntotal +");
    }

    @Test
    void infoPrintsJson() throws IOException {
        diff();
        JsonNode layers = new ObjectMapper()
                .readTree(succeeded("delta", "info", delta, "--json").out());
        JsonNode tensors = new ObjectMapper()
                .readTree(succeeded("delta", "info", delta, "--json", "--by=tensor")
                        .out());

        assertThat(layers.path("base").path("name").asText()).isEqualTo("base");
        assertThat(layers.path("tuned").path("sha256").asText()).hasSize(64);
        assertThat(layers.path("dtype").asText()).isEqualTo("F32");
        assertThat(layers.path("layers").path("layers.0").path("numbers").asLong())
                .isPositive();
        assertThat(tensors.path("total")).isEqualTo(layers.path("total"));
        double squares = 0;
        for (JsonNode tensor : tensors.path("tensors")) {
            squares += Math.pow(tensor.path("norm").asDouble(), 2);
            assertThat(tensor.path("relative_norm").isNumber()).isTrue();
        }
        assertThat(layers.path("total").path("norm").asDouble())
                .isCloseTo(Math.sqrt(squares), org.assertj.core.api.Assertions.within(1e-9));
    }

    @ParameterizedTest
    @ValueSource(strings = {"diff", "apply", "info"})
    void helpHasExamples(String command) {
        Ran ran = succeeded("delta", command, "--help");

        assertThat(ran.out()).contains("Usage: gradus delta " + command, "Examples:", "  ./gradus delta " + command);
        assertThat(ran.out().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
    }

    // ---- errors ----

    @Test
    void usageErrorsNameTheProblem() {
        gradus("delta").assertFailed(2, "Missing command. Available commands: diff, apply, info.");
        gradus("delta", "diff", base, tuned).assertFailed(2, "Missing required option: '--output=FILE'");
        gradus("delta", "apply", base).assertFailed(2, "Missing required parameter: 'FILE[:FACTOR]'");
        gradus("delta", "apply", base, delta + ":half")
                .assertFailed(2, "'half' in '" + delta + ":half' is not a factor");
        gradus("delta", "apply", base, delta + ":NaN").assertFailed(2, "the factor is NaN; it must be finite");
        gradus("delta", "info", delta, "--by", "module").assertFailed(2, "'module' is not layer or tensor");
    }

    @Test
    void applyToAnotherBaseFailsWithoutForce() throws IOException {
        diff();
        Path out = folder.resolve("out");

        gradus("delta", "apply", tuned, delta, "-o", out)
                .assertFailed(1, "it was made from another model than " + tuned);
        assertThat(out).doesNotExist();
        assertThat(succeeded("delta", "apply", tuned, delta, "-o", out, "--force")
                        .out())
                .doesNotContain("bit for bit");
        assertThat(Files.size(out.resolve("model.safetensors")))
                .isEqualTo(Files.size(tuned.resolve("model.safetensors")));
    }

    @Test
    void missingAndConflictingFilesGiveOneMessage() {
        Path weights = tuned.resolve("model.safetensors");
        gradus("delta", "diff", base, tuned, "-o", weights).assertFailed(1, weights + " exists and is not a delta");
        gradus("delta", "diff", base, folder.resolve("no"), "-o", delta).assertFailed(1, "there is no such file");
        gradus("delta", "info", weights).assertFailed(1, weights + ": it is not a delta");
        gradus("delta", "info", delta).assertFailed(1, delta + ": there is no such file");
        diff();
        gradus("delta", "apply", base, delta, "-o", tuned).assertFailed(1, tuned + " exists already");
        gradus("delta", "apply", folder.resolve("no"), delta, "-o", folder.resolve("out"))
                .assertFailed(1, "no is missing");
    }
}
