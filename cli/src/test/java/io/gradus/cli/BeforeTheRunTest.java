package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the checks before a run: --dry-run, --overfit-one-batch and the learning rate finder. None of them writes output. */
class BeforeTheRunTest {
    @TempDir
    private Path folder;

    private List<String> keys = List.of();

    private record Ran(int code, String out, String err) {}

    @BeforeEach
    void write() {
        keys = List.of(
                "model.path=" + TinyModel.write(folder.resolve("model")),
                "data.train=" + TinyModel.writeText(folder.resolve("text.txt"), 200),
                "output=" + folder.resolve("out"),
                "batch_size=2",
                "threads=1");
    }

    @AfterEach
    void assertNothingWritten() {
        assertThat(folder.resolve("out")).doesNotExist();
    }

    private Ran gradus(String command, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = Stream.of(Stream.of(command), keys.stream(), Stream.of(arguments))
                .flatMap(Function.identity())
                .toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), words);
        return new Ran(code, out.toString().replace(System.lineSeparator(), "\n"), err.toString());
    }

    // ---- data ----

    @Test
    void dryRunShowsBatchesMemoryAndTime() {
        Ran ran = gradus("finetune", "--dry-run", "data.validation_split=0.1");

        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(ran.out())
                .contains("batch 0: ids [2, 32], targets [64]", "batch 1: ")
                .containsPattern("memory: \\d+ MB at the peak, \\d+ kB of which are tensors")
                .containsPattern("time: about .* for \\d+ steps")
                .endsWith("Nothing was trained and nothing was written.\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"optimizer_in_bwd=false", "optimizer_in_bwd=true"})
    void dryRunNamesAWeightThatIsNaN(String key) throws IOException {
        ModelFolder model = new ModelFolder(folder.resolve("model"));
        LanguageModel broken = model.load(Device.cpu(1));
        Tensor weight = broken.parameters().getFirst().value();
        float[] values = weight.toFloats();
        Arrays.fill(values, Float.NaN);
        weight.copyFrom(Tensor.of(values, weight.shape().toArray()));
        Tokenizer.load(model.path()).save(folder.resolve("broken"));
        model.save(broken, folder.resolve("broken"));
        Ran ran = gradus(
                "finetune",
                "--dry-run",
                "model.path=" + folder.resolve("broken"),
                "data.validation_split=0.1",
                "max_grad_norm=Infinity",
                key);

        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err())
                .startsWith(
                        "before the first step the loss is NaN: the weight model.embed_tokens.weight has NaN at [0, 0]");
    }

    // ---- overfitting one batch ----

    @Test
    void overfitOneBatchPassesWithAGoodLearningRate() {
        Ran ran = gradus("finetune", "--overfit-one-batch", "learning_rate=0.03");

        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).contains("step 1  loss 5.5").contains("passed: the loss of one batch went from 5.5");
        assertThat(ran.code()).isZero();
    }

    @Test
    void overfitOneBatchExplainsEachFailure() {
        Ran slow = gradus("finetune", "--overfit-one-batch", "learning_rate=1e-7", "steps=20");
        Ran some = gradus("finetune", "--overfit-one-batch", "learning_rate=0.01", "steps=30");
        Ran wild = gradus("finetune", "--overfit-one-batch", "learning_rate=1e6", "steps=20");

        assertThat(List.of(slow.code(), some.code(), wild.code())).containsOnly(1);
        assertThat(slow.out()).contains("failed: ", "it hardly moved; learning_rate=1.0E-7 is far too low");
        assertThat(some.out()).contains("failed: ", "it fell, but not to 0");
        assertThat(wild.out()).contains("failed: ", "it diverged; learning_rate=1000000.0 is too high");
    }

    // ---- the learning rate ----

    @Test
    void learningRateFinderProposesAWorkingRate() throws IOException {
        Path svg = folder.resolve("lr.svg");
        Ran ran = gradus("lr", "--svg=" + svg, "--from=1e-5", "--to=10", "--steps=60");

        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        Matcher proposed = Pattern.compile("proposed: learning_rate=(\\S+)").matcher(ran.out());
        assertThat(proposed.find()).isTrue();
        assertThat(Double.parseDouble(proposed.group(1))).isBetween(1e-3, 0.3);
        assertThat(svg)
                .content()
                .startsWith("<svg")
                .contains("class='smoothed'", "class='suggestion'", ">1e-3</text>", "</svg>")
                .doesNotContain("NaN", "Infinity");
    }

    @Test
    void learningRateFinderRejectsRangesThatStartTooHigh() {
        Ran ran = gradus("lr", "--from=1e5", "--to=1e9");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("start below 100000.0").doesNotContain("\tat ");
        assertThat(gradus("lr", "--steps=3").err())
                .contains("learning rate finder: 3 steps are too few; use at least 20");
    }

    @Test
    void finetunePrintsTheScheduleAsASparkline() throws IOException {
        Files.createDirectories(folder.resolve("elsewhere"));
        StringWriter out = new StringWriter();
        int code = Main.run(
                new PrintWriter(out),
                new PrintWriter(new StringWriter()),
                Stream.concat(
                                Stream.concat(Stream.of("finetune"), keys.stream()),
                                Stream.of(
                                        "output=" + folder.resolve("elsewhere"),
                                        "steps=8",
                                        "warmup_ratio=0.25",
                                        "schedule=linear",
                                        "sample.max_tokens=0"))
                        .toArray(String[]::new));

        assertThat(code).isZero();
        assertThat(out.toString()).contains("rate       ▁▅█▇▆▅▃▂  linear, peak 5.0e-04");
    }
}
