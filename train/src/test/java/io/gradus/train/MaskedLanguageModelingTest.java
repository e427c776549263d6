package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.Batches.Batch;
import io.gradus.data.MaskedBatches;
import io.gradus.data.PaddedBatches;
import io.gradus.data.tokenizer.EncodedText;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs with {@code task: masked_language_modeling}, and what they hide. */
class MaskedLanguageModelingTest {
    private static final Path BERT = Path.of("../data/src/test/fixtures/embedder/tiny");

    @TempDir
    private Path folder;

    private Recipe recipe(String output, String... overrides) throws IOException {
        Path text = folder.resolve("text");
        if (!Files.exists(text)) {
            Files.createDirectories(text);
            String[] animals = {"cat", "dog"};
            for (int i = 0; i < 40; i++) {
                Files.writeString(
                        text.resolve("%02d.txt".formatted(i)),
                        "the " + animals[i % 2] + " sat on the mat, and the " + animals[i % 2]
                                + " do not mind it at all.");
            }
        }
        return Recipe.parse("""
                task: masked_language_modeling
                model: {path: '%s'}
                data: {train: '%s', validation_split: 0.2}
                output: '%s'
                steps: 8
                batch_size: 4
                learning_rate: 0.02
                eval_steps: 4
                save_steps: 4
                threads: 1
                """.formatted(BERT, text, folder.resolve(output)), overrides);
    }

    /** The head is new: the folder is of a bare network. */
    @Test
    void encoderLearnsToPredictHiddenTokens() throws IOException {
        RunResult result = new FineTuning(
                        recipe("out", "steps=300", "learning_rate=0.01", "eval_steps=100", "save_steps=0"))
                .run();
        assertThat(result.before().get("held_out")).isGreaterThan(3);
        // The entropy of a token of this text is 2.56, and the most frequent one makes up 18%.
        assertThat(result.after().get("held_out")).isLessThan(2.2);
        assertThat(result.scores().get("held_out").metrics().get("accuracy")).isGreaterThan(0.2);
        Path output = folder.resolve("out");
        assertThat(new ModelFolder(output).savedHead()).isEqualTo(new Head.LanguageModeling());
        assertThat(ConfigJson.read(output).texts("architectures")).containsExactly("BertForMaskedLM");
    }

    @Test
    void resumedRunHasTheSameBits() throws IOException {
        new FineTuning(recipe("whole")).run();
        FineTuning[] run = new FineTuning[1];
        run[0] = new FineTuning(recipe("resumed"), new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == 4) {
                    run[0].stop();
                }
            }
        });
        assertThatThrownBy(run[0]::run).isInstanceOf(StoppedException.class);
        new FineTuning(recipe("resumed", "resume=true")).run();
        assertThat(folder.resolve("resumed").resolve("model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("whole").resolve("model.safetensors"));
    }

    @Test
    void dryRunShowsTheRowsBeforeTokensAreHidden() throws IOException {
        DryRun dry = DryRun.of(new FineTuning(recipe("out")));
        assertThat(dry.failure()).isNull();
        assertThat(dry.batches()).isInstanceOf(PaddedBatches.class);
        assertThat(dry.task()).containsExactly("masked language modeling: 40 texts to train on");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void keysOfOtherTasksAreRejected() throws IOException {
        Stream.of("data.general=x.txt", "classification.label_smoothing=0.1", "ewc=1", "data.packing=stream")
                .forEach(key -> assertThatThrownBy(() -> recipe("out", key))
                        .as(key)
                        .isInstanceOf(RecipeException.class)
                        .hasMessageContaining("masked_language_modeling"));
    }

    // ---- what is hidden ----

    private static final int MASK = 4;
    private static final int ROWS = 400;

    /** Rows of 22 tokens from 5 to 29, between the special tokens 2 and 3, and rows half as long. */
    private static MaskedBatches batches(boolean repeats) {
        List<EncodedText> rows = IntStream.range(0, ROWS)
                .mapToObj(row -> {
                    int length = row % 2 == 0 ? 24 : 13;
                    return EncodedText.of(IntStream.range(0, length)
                            .map(i -> i == 0 ? 2 : i == length - 1 ? 3 : 5 + (row * 7 + i * 3) % 25)
                            .toArray());
                })
                .toList();
        PaddedBatches padded = new PaddedBatches(
                rows,
                (chosen, _, device) -> Tensor.of(device, new int[chosen.length], chosen.length),
                new PaddedBatches.Settings(ROWS, 24, 0, 3, false));
        return new MaskedBatches(padded, new MaskedBatches.Tokens(MASK, Set.of(0, 2, 3, 4), 30), 3, repeats);
    }

    @Test
    void shareOfHiddenTokensAndOfTheirReplacementsIsThatOfThePaper() {
        Batch batch = batches(false).batch(0, Device.cpu());
        int[] ids = batch.ids().toInts();
        int[] targets = batch.targets().toInts();
        int[] original = plain();
        int hidden = 0;
        int masked = 0;
        int kept = 0;
        int all = 0;
        for (int i = 0; i < ids.length; i++) {
            boolean special = original[i] < 5;
            all += special ? 0 : 1;
            if (targets[i] == -100) {
                assertThat(ids[i]).isEqualTo(original[i]);
                continue;
            }
            assertThat(special).isFalse();
            assertThat(targets[i]).isEqualTo(original[i]);
            hidden++;
            masked += ids[i] == MASK ? 1 : 0;
            kept += ids[i] == original[i] ? 1 : 0;
        }
        assertThat(batch.counted()).isEqualTo(hidden);
        assertThat(hidden / (double) all).isBetween(0.14, 0.16); // of 6,600 tokens: two standard deviations are 0.009
        assertThat(masked / (double) hidden).isBetween(0.76, 0.84);
        assertThat(kept / (double) hidden).isBetween(0.07, 0.14);
    }

    /** The ids of the first batch, from which nothing is hidden. */
    private static int[] plain() {
        int[] ids = new int[ROWS * 24];
        for (int row = 0; row < ROWS; row++) {
            int length = row % 2 == 0 ? 24 : 13;
            for (int i = 0; i < length; i++) {
                ids[row * 24 + i] = i == 0 ? 2 : i == length - 1 ? 3 : 5 + (row * 7 + i * 3) % 25;
            }
        }
        return ids;
    }

    @Test
    void eachEpochHidesOthersAndEachEvaluationTheSame() {
        int[] first = batches(false).batch(0, Device.cpu()).ids().toInts();
        assertThat(batches(false).batch(0, Device.cpu()).ids().toInts()).isEqualTo(first);
        assertThat(batches(false).batch(1, Device.cpu()).ids().toInts()).isNotEqualTo(first);
        assertThat(batches(true).batch(1, Device.cpu()).ids().toInts()).isEqualTo(first);
    }
}
