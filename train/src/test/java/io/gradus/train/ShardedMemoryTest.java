package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.MemoryCategory;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.JobOfThreads.Outcome;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The memory of processes that divide the training state: as planned, and as published. */
@Timeout(120)
class ShardedMemoryTest {
    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        model = TinyModel.write(folder.resolve("model"), LlamaConfig.of(257, 256, 24, 3, 2, 1, 32));
        text = TinyModel.writeText(folder.resolve("text.txt"), 200);
    }

    @ParameterizedTest
    @CsvSource({
        "data, precision=f32",
        "zero1, precision=f32",
        "zero2, precision=f32",
        "zero1, precision=bf16",
        "zero2, precision=bf16",
        "zero2, gradient_accumulation_steps=2",
        "zero2, optimizer=adafactor",
        "zero3, precision=f32",
        "zero3, precision=bf16 activation_checkpointing=true",
    })
    void everyProcessTakesThePlannedBytes(String parallel, String setting) throws Exception {
        Recipe recipe = Recipe.parse(
                """
                model: {path: '%s'}
                data: {train: '%s', validation_split: 0.1}
                output: '%s'
                steps: 3
                batch_size: 1
                max_eval_blocks: 1
                save_steps: 0
                sample: {max_tokens: 0}
                check_first_loss: false
                threads: 1
                """.formatted(model, text, folder.resolve("out")),
                "parallel=" + parallel,
                setting.split(" ")[0],
                setting.substring(setting.lastIndexOf(' ') + 1));
        for (Outcome each : JobOfThreads.run(3, _ -> recipe, builder -> builder)) {
            assertThat(each.failure()).isNull();
            assertThat(each.result().peakBytes()).isEqualTo(each.run().plan().atPeak());
        }
    }

    /** Rajbhandari et al. 2020, figure 1: of Ψ parameters, stage 1 divides 8Ψ bytes of moments in F32, and stage 2 the gradients. */
    @Test
    void gpt2OnFourProcessesTakesThePublishedBytes() {
        Gpt2Config config = Gpt2Config.of(50257, 768, 12, 12, 1024);
        Recipe recipe = Recipe.parse("batch_size: 1\ndata: {max_seq_len: 128}");
        long psi = FineTuning.plan(recipe, config, false).parameters();
        assertThat(psi).isEqualTo(124_439_808);
        assertKept(recipe, config, "data", 4 * psi, 4 * psi, 8 * psi);
        assertKept(recipe, config, "zero1", 4 * psi, 4 * psi, 2 * psi);
        assertKept(recipe, config, "zero2", 4 * psi, psi, 2 * psi);
        assertKept(recipe, config, "zero3", psi, psi, 2 * psi);
    }

    private static void assertKept(
            Recipe recipe, Gpt2Config config, String parallel, double weights, double gradients, double state) {
        MemoryPlan plan = FineTuning.plan(recipe.with("parallel=" + parallel), config, false, 4);
        assertThat(plan.processes()).isEqualTo(4);
        List<MemoryCategory> categories =
                List.of(MemoryCategory.WEIGHTS, MemoryCategory.GRADIENTS, MemoryCategory.OPTIMIZER_STATE);
        List<Double> expected = List.of(weights, gradients, state);
        for (int i = 0; i < 3; i++) {
            assertThat((double) plan.kept().get(categories.get(i)))
                    .as("%s of %s", categories.get(i), parallel)
                    .isCloseTo(expected.get(i), within(0.005 * expected.get(i)));
        }
        // 2Ψ elements of 4 bytes, of which a rank keeps its quarter; 3Ψ in stage 3, but what the end of the forward
        // pass uses last and
        // the backward pass first is collected once: the last layer, and the tables
        long twice = parallel.equals("zero3") ? 2 * plan.parameters() + 11 * 7_087_872L : 2 * plan.parameters();
        double sent = 4.0 * twice * 3 / 4;
        assertThat((double) plan.sentBytes()).isCloseTo(sent, within(0.01 * sent));
    }
}
