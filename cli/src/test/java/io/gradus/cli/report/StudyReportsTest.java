package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.FineTuning;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.Variant;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.study.ForgettingStudy;
import io.gradus.train.study.MemoryStudy;
import io.gradus.train.study.UlmfitStudy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyReportsTest {
    private static final List<ForgettingStudy.Row> FORGETTING = List.of(
            new ForgettingStudy.Row(new Variant("plain", List.of()), 2, 1, 1, 1.5),
            new ForgettingStudy.Row(new Variant("L2-SP, λ = 1000", List.of("l2_sp=1000")), 2, 1, 1.5, 1.125));

    @TempDir
    private Path folder;

    @Test
    void forgettingReportHasTableCommandsAndChart() throws IOException {
        var outcome = new ForgettingStudy.Outcome(FORGETTING, new ForgettingStudy.Limits(3, true, 1e-21));
        ForgettingReport.write(outcome, folder);

        assertThat(ForgettingReport.lines(outcome, 80))
                .hasSize(4)
                .allMatch(line -> line.length() <= 80)
                .last()
                .asString()
                .containsPattern("L2-SP, λ = 1000 +1.500 +1.125 +0.125 +50 +25");
        assertThat(ForgettingReport.limitLines(outcome))
                .containsExactly(
                        "λ = 0, 3 steps: the same bytes as plain",
                        "λ = 1e30, 3 steps: the largest change of a weight is 1.0e-21");
        assertThat(Files.readString(folder.resolve("forgetting.md")))
                .contains("| plain |", "| L2-SP, λ = 1000 |", "./gradus finetune ", "recipe.yaml l2_sp=1000");
        assertThat(Files.readString(folder.resolve("forgetting.svg")))
                .contains(">before<", ">plain<", ">L2-SP, λ = 1000<");
    }

    @Test
    void unfinishedForgettingReportHasOnlyTheTable() throws IOException {
        ForgettingReport.write(FORGETTING.subList(0, 1), folder);
        assertThat(Files.readString(folder.resolve("forgetting.md")))
                .contains("| plain |")
                .doesNotContain("L2-SP", "To repeat a single run");
    }

    @Test
    void ulmfitReportHasTableRemarksAndAReadableChart() throws Exception {
        List<UlmfitStudy.Row> rows =
                List.of(new UlmfitStudy.Row(100, 0.45, 0.31), new UlmfitStudy.Row(1000, 0.305, 0.301));
        UlmfitReport.write(rows.subList(0, 1), folder);
        assertThat(Files.readString(folder.resolve("ulmfit.md")))
                .contains("| 100 labels | 45.0 | 31.0 | -14.0 |")
                .doesNotContain("1,000 labels", "perplexity");
        var outcome = new UlmfitStudy.Outcome(rows, 8003, Math.log(900), Math.log(200), 0.487);
        UlmfitReport.write(outcome, folder);
        assertThat(UlmfitReport.lines(outcome, 80)).hasSize(3).allMatch(line -> line.length() <= 80);
        assertThat(Files.readString(folder.resolve("ulmfit.md")))
                .contains(
                        "| 1,000 labels | 30.5 | 30.1 | -0.4 |",
                        "8,003 words",
                        "900 after",
                        "200 after",
                        "48.7% errors");
        String svg = Files.readString(folder.resolve("ulmfit.svg"));
        assertThat(svg).contains(">from scratch<", ">pre-trained (ULMFiT)<", ">1,000<");
        TextBoxes.assertReadable(svg);
    }

    @Test
    void memoryReportHasTableCommandsAndChart() throws IOException {
        ModelConfig config = (LlamaConfig.of(257, 16, 24, 1, 2, 1, 32));
        MemoryPlan plan = FineTuning.plan(Recipe.defaults(), config, false);
        var variant = new Variant("AdamW, F32", List.of("optimizer=adamw"));
        List<MemoryStudy.Row> rows = List.of(new MemoryStudy.Row(variant, plan, plan.peakBytes(), 1234.5, 3, 2));
        MemoryReport.write(rows, folder);

        assertThat(MemoryReport.lines(rows, 80)).hasSize(2).allMatch(line -> line.length() <= 80);
        assertThat(Files.readString(folder.resolve("memory.md")))
                .contains("| AdamW, F32 |", "0.0%", "1,235", "recipe.yaml optimizer=adamw");
        assertThat(Files.readString(folder.resolve("memory.svg"))).contains("AdamW, F32");
    }
}
