package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.serve.TokenClassifier;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs with {@code task: token_classification}. */
class TokenClassificationTrainingTest {
    @TempDir
    private static Path shared;

    @TempDir
    private Path folder;

    @BeforeAll
    static void write() throws IOException {
        TinyModel.write(shared.resolve("model"));
        StringBuilder conll = new StringBuilder("-DOCSTART- -X- O\n\n");
        StringBuilder jsonl = new StringBuilder();
        String[] names = {"Ada", "Bob", "Cy", "Di"};
        for (int i = 0; i < 40; i++) {
            String first = names[i % 4];
            String last = names[(i / 4) % 4];
            conll.append("%s NNP B-PER%n%s NNP I-PER%nsees VBZ O%nno DT O%n%s NNP B-LOC%n. . O%n%n"
                    .formatted(first, last, i % 2 == 0 ? "Rome" : "Oslo"));
            jsonl.append("{\"tokens\": [\"%s\", \"sees\"], \"tags\": [\"NOUN\", \"VERB\"]}%n".formatted(first));
        }
        Files.writeString(shared.resolve("names.conll"), conll.toString().replace("\r", ""));
        Files.writeString(shared.resolve("words.jsonl"), jsonl.toString().replace("\r", ""));
    }

    private Recipe recipe(String output, String... overrides) {
        String yaml = """
            task: token_classification
            model: {path: '%s'}
            data: {train: '%s', validation_split: 0.2}
            output: '%s'
            steps: 4
            batch_size: 4
            learning_rate: 0.02
            eval_steps: 2
            threads: 1
            """.formatted(shared.resolve("model"), shared.resolve("names.conll"), folder.resolve(output));
        return Recipe.parse(yaml, overrides);
    }

    @Test
    void namesThatAlwaysLookAlikeAreLearnedAndServed() throws IOException {
        RunResult result = new FineTuning(
                        recipe("out", "steps=60", "load_best_model_at_end=true", "metric_for_best_model=entity_f1"))
                .run();
        assertThat(result.scores().get("held_out").metrics())
                .containsEntry("entity_f1", 1.0)
                .containsEntry("accuracy", 1.0);
        Path output = folder.resolve("out");
        assertThat(new ModelFolder(output).savedHead())
                .isEqualTo(new Head.TokenClassification(Labels.of("O", "B-LOC", "B-PER", "I-PER")));
        TokenClassifier classifier = TokenClassifier.load(output);
        List<TokenClassifier.Span> names = classifier.entities("Bob Di sees no Oslo.");
        assertThat(names).extracting(TokenClassifier.Span::type).containsExactly("PER", "LOC");
        assertThat(names).extracting(TokenClassifier.Span::text).containsExactly("Bob Di", "Oslo");
        assertThat(names.getLast().start()).isEqualTo(15);
        assertThat(names.getLast().end()).isEqualTo(19);
        assertThat(names).allMatch(name -> name.score() > 0.5 && name.score() <= 1);
        assertThat(classifier.entities("")).isEmpty();
        assertThat(classifier.classifyAll(List.of(List.of("Ada"), List.of("Cy", "Bob", "sees"))))
                .extracting(List::size)
                .containsExactly(1, 3);
    }

    @Test
    void tagsWithoutEntitiesHaveScoresOfWords() throws IOException {
        RunResult result =
                new FineTuning(recipe("out", "data.train=" + shared.resolve("words.jsonl"), "steps=2")).run();
        assertThat(result.scores().get("held_out").metrics()).containsKeys("accuracy", "macro_f1");
        assertThat(result.scores().get("held_out").confusion()).hasSize(2);
    }

    @Test
    void resumedRunAndTwoProcessesHaveTheSameBits() throws Exception {
        new FineTuning(recipe("whole", "gradient_accumulation_steps=2")).run();
        FineTuning[] run = new FineTuning[1];
        run[0] = new FineTuning(recipe("resumed", "gradient_accumulation_steps=2"), new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == 2) {
                    run[0].stop();
                }
            }
        });
        assertThatThrownBy(run[0]::run).isInstanceOf(StoppedException.class);
        new FineTuning(recipe("resumed", "gradient_accumulation_steps=2", "resume=true")).run();
        List<JobOfThreads.Outcome> outcomes =
                JobOfThreads.run(2, _ -> recipe("divided", "parallel=zero2"), builder -> builder);
        assertThat(outcomes).extracting(JobOfThreads.Outcome::failure).containsOnlyNulls();
        byte[] whole = Files.readAllBytes(folder.resolve("whole/model.safetensors"));
        assertThat(folder.resolve("resumed/model.safetensors")).hasBinaryContent(whole);
        assertThat(folder.resolve("divided/model.safetensors")).hasBinaryContent(whole);
    }

    @Test
    void planCoversARun() throws IOException {
        FineTuning run = new FineTuning(recipe("out", "data.max_seq_len=24"));
        MemoryPlan plan = run.plan();
        RunResult result = run.run();
        long used =
                result.peakBytes().values().stream().mapToLong(bytes -> bytes).sum();
        assertThat(used).isPositive().isLessThanOrEqualTo(plan.peakBytes());
    }

    @Test
    void unknownTagOfAHeldOutSentenceIsRejected() throws IOException {
        Path other = Files.writeString(folder.resolve("other.conll"), "Ada B-ORG\n");
        assertThatThrownBy(() -> new FineTuning(recipe("out", "data.eval=" + other)).run())
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("'B-ORG'");
    }

    @Test
    void keysOfOtherTasksAreRejected() {
        assertThatThrownBy(() -> recipe("out", "classification.class_weights=balanced"))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("has no effect with task=token_classification");
    }
}
