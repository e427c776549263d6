package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.data.serve.Classifier;
import io.gradus.data.serve.Prediction;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs with {@code task: sequence_classification}. */
class ClassificationTrainingTest {
    @TempDir
    private static Path shared;

    private static RunResult learned;

    @TempDir
    private Path folder;

    @BeforeAll
    static void write() throws IOException {
        TinyModel.write(shared.resolve("model"));
        StringBuilder csv = new StringBuilder("id,review,label,stars,topics\n");
        StringBuilder jsonl = new StringBuilder();
        String[] nouns = {"film", "book", "song", "play"};
        for (int i = 0; i < 48; i++) {
            boolean good = i % 3 != 0;
            String text = "a " + (good ? "fine " : "dull ") + nouns[i % 4] + ", number " + i + " ".repeat(i % 5) + "!";
            csv.append("%d,\"%s\",%s,%s,\"%s\"%n"
                    .formatted(i, text, good ? "yes" : "no", good ? "4.5" : "1.0", good ? nouns[i % 4] : ""));
            jsonl.append("{\"text\": \"%s\", \"text_pair\": \"%s\", \"label\": %b}%n"
                    .formatted(good ? "it is fine" : "it is bad", text.replace("\"", ""), good));
        }
        Files.writeString(shared.resolve("reviews.csv"), csv.toString().replace("\r", ""));
        Files.writeString(shared.resolve("pairs.jsonl"), jsonl.toString().replace("\r", ""));
        learned = new FineTuning(recipe(
                        shared.resolve("out"),
                        "steps=30",
                        "load_best_model_at_end=true",
                        "metric_for_best_model=macro_f1"))
                .run();
    }

    private Recipe recipe(String output, String... overrides) {
        return recipe(folder.resolve(output), overrides);
    }

    private static Recipe recipe(Path output, String... overrides) {
        String yaml = """
            task: sequence_classification
            model: {path: '%s'}
            data: {train: '%s', text_column: review, validation_split: 0.2}
            output: '%s'
            steps: 4
            batch_size: 4
            learning_rate: 0.02
            eval_steps: 2
            save_steps: 2
            threads: 1
            """.formatted(shared.resolve("model"), shared.resolve("reviews.csv"), output);
        return Recipe.parse(yaml, overrides);
    }

    @Test
    void aSeparableProblemIsLearnedAndServed() throws IOException {
        assertThat(learned.scores().get("held_out").metrics().get("accuracy")).isEqualTo(1);
        assertThat(learned.bestLoss()).isEqualTo(1);
        assertThat(learned.after().get("held_out")).isLessThan(0.6);
        Path output = learned.output();
        assertThat(new ModelFolder(output).savedHead())
                .isEqualTo(new Head.SequenceClassification(Labels.of("no", "yes")));
        assertThat(output.resolve("classifier.json")).content().contains("temperature", "\"max_length\" : 32");
        assertThat(output.resolve("metrics.jsonl")).content().contains("held_out_matthews_correlation");
        Classifier classifier = Classifier.load(output);
        Prediction prediction = classifier.classify("a dull film, number 7!");
        assertThat(prediction.label()).isEqualTo("no");
        assertThat(prediction.scores().values().stream().mapToDouble(p -> p).sum())
                .isCloseTo(1, within(1e-6));
        assertThat(classifier.classify(List.of("a fine book, number 3!", "a dull film, number 7!")))
                .extracting(Prediction::label)
                .containsExactly("yes", "no");
    }

    @Test
    void threadsShareAClassifier() throws Exception {
        Classifier classifier = Classifier.load(learned.output());
        List<String> texts = Stream.iterate(0, i -> i + 1)
                .limit(24)
                .map(i -> "a fine song, number " + i)
                .toList();
        List<Prediction> alone = texts.stream().map(classifier::classify).toList();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Prediction>> futures = new ArrayList<>();
            for (String text : texts) {
                Callable<Prediction> one = () -> classifier.classify(text);
                futures.add(threads.submit(one));
            }
            for (int i = 0; i < texts.size(); i++) {
                assertThat(futures.get(i).get()).isEqualTo(alone.get(i));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "data, classification.class_weights=balanced classification.label_smoothing=0.1",
        "zero2, data.label_column=topics classification.problem_type=multi_label_classification",
        "zero3, data.label_column=stars metric_for_best_model=spearman load_best_model_at_end=true precision=bf16"
                + " wise_ft_alpha=0.5 classification.truncation=windows data.max_seq_len=12",
    })
    void everyProblemHasTheSameBitsWhenItIsResumedAndWithTwoProcesses(String parallel, String setting)
            throws Exception {
        String[] keys = setting.split(" ");
        new FineTuning(recipe("whole", with(keys, "gradient_accumulation_steps=2"))).run();
        FineTuning[] run = new FineTuning[1];
        run[0] = new FineTuning(recipe("resumed", with(keys, "gradient_accumulation_steps=2")), new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == 2) {
                    run[0].stop();
                }
            }
        });
        assertThatThrownBy(run[0]::run).isInstanceOf(StoppedException.class);
        new FineTuning(recipe("resumed", with(keys, "gradient_accumulation_steps=2", "resume=true"))).run();
        assertSameModel("resumed");
        List<JobOfThreads.Outcome> outcomes =
                JobOfThreads.run(2, _ -> recipe("parallel", with(keys, "parallel=" + parallel)), builder -> builder);
        assertThat(outcomes).extracting(JobOfThreads.Outcome::failure).containsOnlyNulls();
        assertSameModel("parallel");
    }

    private static String[] with(String[] keys, String... more) {
        return Stream.concat(Stream.of(keys), Stream.of(more)).toArray(String[]::new);
    }

    private void assertSameModel(String output) {
        for (String file : List.of("model.safetensors", "classifier.json", "config.json")) {
            assertThat(folder.resolve(output).resolve(file))
                    .hasSameBinaryContentAs(folder.resolve("whole").resolve(file));
        }
    }

    @Test
    void pairsAreReadFromJsonLines() throws IOException {
        RunResult result = new FineTuning(
                        recipe("out", "data.text_column=text", "data.train=" + shared.resolve("pairs.jsonl")))
                .run();
        assertThat(result.scores().get("held_out").classes())
                .extracting(each -> each.label())
                .containsExactly("false", "true");
    }

    @Test
    void examplesOfEveryClassAreHeldOutWhateverTheirOrder() throws IOException {
        StringBuilder alternating = new StringBuilder("review,label\n");
        for (int i = 0; i < 80; i++) {
            alternating
                    .append("text ")
                    .append(i)
                    .append(',')
                    .append(i % 2 == 0 ? "even" : "odd")
                    .append('\n');
        }
        Path file = Files.writeString(folder.resolve("alternating.csv"), alternating);
        DryRun dry = DryRun.of(new FineTuning(recipe("out", "data.train=" + file, "data.validation_split=0.1")));
        assertThat(dry.task())
                .contains("label even: 36 to train on, 4 held out", "label odd: 36 to train on, 4 held out");
    }

    @Test
    void dryRunShowsTheLabelsAndTheFirstExamples() throws IOException {
        DryRun dry = DryRun.of(new FineTuning(recipe("out")));
        assertThat(dry.task())
                .contains(
                        "single_label_classification of texts: 39 examples to train on, 9 held out",
                        "columns: text review, label label or labels",
                        "label no: 13 to train on, 3 held out",
                        "label yes: 26 to train on, 6 held out");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void peakOfTheTensorsIsAtMostThatOfThePlan() throws IOException {
        FineTuning run = new FineTuning(recipe("out"));
        long planned = run.plan().peakBytes();
        RunResult result = run.run();
        long peak = result.peakBytes().values().stream().mapToLong(b -> b).sum();
        assertThat(peak).isLessThanOrEqualTo(planned).isGreaterThan(planned / 2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "metric_for_best_model=rouge,load_best_model_at_end=true"
                        + "|metric_for_best_model is rouge; this task has accuracy, loss, macro_f1",
                "data.label_column=id,classification.problem_type=regression,metric_for_best_model=accuracy,"
                        + "load_best_model_at_end=true|this task has loss, mae, pearson, spearman",
                "classification.problem_type=regression|needs numbers as labels, and there are [no, yes]",
                "classification.class_weights=maybe=2|with the labels [no, yes]",
                "data.general=x.txt|data.general has no effect with task=sequence_classification",
                "ewc=1|ewc needs general text",
            })
    void contradictionsAreRejected(String line) {
        String[] parts = line.split("\\|");
        assertThatThrownBy(() -> new FineTuning(recipe("out", parts[0].split(","))).run())
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining(parts[1]);
    }

    @Test
    void aMissingColumnIsNamed() {
        assertThatThrownBy(() -> new FineTuning(recipe("out", "data.label_column=grade")).run())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("\"grade\"")
                .hasMessageContaining("data.label_column");
    }
}
