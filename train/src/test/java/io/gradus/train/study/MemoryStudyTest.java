package io.gradus.train.study;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.Recipe;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every rung of the ladder trains, takes what was planned, and no more than the rung before. */
class MemoryStudyTest {
    @TempDir
    private Path folder;

    @Test
    void everyRungTrainsInTheMemoryThatWasPlanned() throws IOException {
        Path model = TinyModel.write(folder.resolve("model"));
        Path text = TinyModel.writeText(folder.resolve("text.txt"), 200);
        Path out = folder.resolve("study");
        Recipe recipe = Recipe.parse("""
                {model: {path: '%s'}, data: {train: '%s'}, steps: 3, batch_size: 8, evaluate_blocks: 8, threads: 1,
                 check_first_loss: false}
                """.formatted(model, text));
        MemoryStudy.Outcome outcome = MemoryStudy.run(recipe, out, _ -> {});

        assertThat(outcome.rows()).hasSize(MemoryStudy.rungs().size()).allSatisfy(row -> {
            assertThat(row.error()).as(row.variant().name()).isBetween(-0.05, 0.05);
            assertThat(row.loss()).as(row.variant().name()).isFinite();
            assertThat(row.tokensPerSecond()).isPositive();
        });
        assertThat(outcome.rows().getLast().measured())
                .isLessThan(outcome.rows().getFirst().measured());
        assertThat(outcome.lines(80)).allMatch(line -> line.length() <= 80);
        assertThat(Files.readString(out.resolve("memory.md"))).contains("| AdamW, F32 |", "optimizer=adamw8bit");
        assertThat(Files.readString(out.resolve("memory.svg"))).contains("AdamW, F32");
    }
}
