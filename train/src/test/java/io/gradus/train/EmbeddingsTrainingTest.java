package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.serve.EmbedderSettings;
import io.gradus.data.serve.Pooling;
import io.gradus.data.serve.TextEmbedder;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs of {@code task: embeddings}. A positive has, for each word of its anchor, another word. */
class EmbeddingsTrainingTest {
    private static final Path BERT = Path.of("../data/src/test/fixtures/embedder/tiny");
    private static final List<String> WORDS = List.of("cat", "dog", "sat", "bark", "mind", "at");
    private static final List<String> OTHERS = List.of("mat", "house", "out", "all", "their", "is");

    @TempDir
    private Path folder;

    private Path base;
    private Path pairs;

    /** A network as small as this learns faster without dropout. */
    @BeforeEach
    void writeBase() throws IOException {
        base = folder.resolve("base");
        try (Stream<Path> files = Files.walk(BERT)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, base.resolve(BERT.relativize(file).toString()));
            }
        }
        Path config = base.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceAll("(dropout_prob\": )0\\.1", "$10.0"));
    }

    @BeforeEach
    void writePairs() throws IOException {
        List<String> firsts = List.of("the", "do not", "a");
        List<String> seconds = List.of("of", "and the", "it");
        StringBuilder lines = new StringBuilder("anchor,positive\n");
        for (int i = 0; i < firsts.size(); i++) {
            for (int words = 1; words < 1 << WORDS.size(); words++) {
                if (Integer.bitCount(words) == 2 || Integer.bitCount(words) == 3) {
                    lines.append(firsts.get(i) + " " + chosen(WORDS, words))
                            .append("," + seconds.get(i) + " " + chosen(OTHERS, words) + "\n");
                }
            }
        }
        pairs = write("pairs.csv", lines.toString());
    }

    /** The words whose bits are set. */
    private static String chosen(List<String> words, int bits) {
        return IntStream.range(0, words.size())
                .filter(i -> (bits >> i & 1) != 0)
                .mapToObj(words::get)
                .collect(Collectors.joining(" "));
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private Recipe recipe(String output, String... overrides) {
        return Recipe.parse("""
                task: embeddings
                model: {path: '%s'}
                data: {train: '%s', validation_split: 0.3}
                output: '%s'
                steps: 8
                batch_size: 16
                learning_rate: 0.01
                warmup_ratio: 0.3
                eval_steps: 4
                save_steps: 4
                threads: 1
                """.formatted(base, pairs, folder.resolve(output)), overrides);
    }

    @Test
    void trainedEmbedderFindsHeldOutPairsAndIsServed() throws IOException {
        Map<String, Double> before = scores(recipe("untrained", "steps=1", "learning_rate=0"));
        Map<String, Double> after = scores(recipe(
                "out",
                "steps=120",
                "eval_steps=40",
                "save_steps=0",
                "load_best_model_at_end=true",
                "metric_for_best_model=recall_at_1"));
        assertThat(before.get("recall_at_1")).isLessThan(0.2);
        assertThat(after.get("recall_at_1")).isGreaterThan(0.4);
        assertThat(after.get("mrr")).isGreaterThan(0.55);
        TextEmbedder embedder = TextEmbedder.load(folder.resolve("out"));
        assertThat(embedder.settings()).isEqualTo(new EmbedderSettings(Pooling.MEAN, true, 24, false, ""));
        float[] anchor = embedder.embed("the cat dog");
        double right = TextEmbedder.cosine(anchor, embedder.embed("of mat house"));
        double wrong = TextEmbedder.cosine(anchor, embedder.embed("of all their"));
        assertThat(right).isGreaterThan(wrong + 0.3);
    }

    @Test
    void networkInAFolderOfItsOwnIsTrainedAndSavedWithoutOne() throws IOException {
        Path inner = Files.createDirectory(base.resolve("0_Transformer"));
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.move(base.resolve(file), inner.resolve(file));
        }
        Path modules = base.resolve("modules.json");
        Files.writeString(
                modules,
                Files.readString(modules)
                        .replace("\"path\": \"\"", "\"path\": \"0_Transformer\"")
                        .replaceAll("(?s),\\s*\\{[^{]*Normalize[^}]*\\}", ""));
        new FineTuning(recipe("out", "steps=1", "save_steps=0")).run();
        TextEmbedder embedder = TextEmbedder.load(folder.resolve("out"));
        assertThat(embedder.settings().normalize()).isFalse();
        assertThat(folder.resolve("out").resolve("0_Transformer")).doesNotExist();
        assertThat(embedder.embed("the cat")).hasSize(12);
    }

    private static Map<String, Double> scores(Recipe recipe) throws IOException {
        return new FineTuning(recipe).run().scores().get("held_out").metrics();
    }

    @Test
    void cosinesLearnScores() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int a = 0; a < WORDS.size(); a++) {
            for (int b = 0; b < WORDS.size(); b++) {
                lines.append("{\"text\": \"the %s\", \"text_pair\": \"a %s\", \"label\": %s}\n"
                        .formatted(WORDS.get(a), OTHERS.get(b), a % 2 == b % 2 ? "0.9" : "0.1"));
            }
        }
        Path scored = write("scored.jsonl", lines.toString());
        Map<String, Double> metrics =
                scores(recipe("out", "data.train=" + scored, "steps=80", "eval_steps=80", "save_steps=0"));
        assertThat(metrics.get("spearman")).isGreaterThan(0.7);
    }

    @Test
    void resumedRunHasTheSameBits() throws IOException {
        Path triplets = write(
                "triplets.jsonl",
                Files.readAllLines(pairs).stream()
                        .skip(1)
                        .map(line -> line.split(","))
                        .map(pair -> "{\"anchor\": \"%s\", \"positive\": \"%s\", \"negative\": \"%s mat\"}\n"
                                .formatted(pair[0], pair[1], pair[0]))
                        .reduce("", String::concat));
        String train = "data.train=" + triplets;
        new FineTuning(recipe("whole", train)).run();
        FineTuning[] run = new FineTuning[1];
        run[0] = new FineTuning(recipe("resumed", train), new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == 4) {
                    run[0].stop();
                }
            }
        });
        assertThatThrownBy(run[0]::run).isInstanceOf(StoppedException.class);
        new FineTuning(recipe("resumed", train, "resume=true")).run();
        assertThat(folder.resolve("resumed").resolve("model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("whole").resolve("model.safetensors"));
    }

    @Test
    void twoProcessesDoWhatOneDoesThatAccumulates() throws IOException, InterruptedException {
        RunResult one = new FineTuning(recipe("one", "gradient_accumulation_steps=2", "save_steps=0")).run();
        List<JobOfThreads.Outcome> outcomes =
                JobOfThreads.run(2, _ -> recipe("two", "parallel=zero2", "save_steps=0"), builder -> builder);
        assertThat(outcomes).extracting(JobOfThreads.Outcome::failure).containsOnlyNulls();
        RunResult two = Objects.requireNonNull(outcomes.getFirst().result());
        assertThat(two.after()).isEqualTo(one.after());
        assertThat(two.scores()).isEqualTo(one.scores());
        assertThat(folder.resolve("two").resolve("model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("one").resolve("model.safetensors"));
    }

    @Test
    void planCoversARun() throws IOException {
        FineTuning run = new FineTuning(recipe("out", "data.max_seq_len=7", "save_steps=0"));
        MemoryPlan plan = run.plan();
        long used = run.run().peakBytes().values().stream()
                .mapToLong(bytes -> bytes)
                .sum();
        assertThat(used).isBetween(plan.peakBytes() / 2, plan.peakBytes());
    }

    @Test
    void keysOfOtherTasksAreRejected() {
        Stream.of("data.text_column=a", "classification.label_smoothing=0.1", "ewc=1", "data.packing=stream")
                .forEach(key -> assertThatThrownBy(() -> recipe("out", key))
                        .as(key)
                        .isInstanceOf(RecipeException.class)
                        .hasMessageContaining("embeddings"));
    }

    @Test
    void batchWithoutOtherTextsIsRejected() {
        assertThatThrownBy(() -> new FineTuning(recipe("out", "batch_size=1")).run())
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("batch_size is 1");
    }

    @Test
    void pairsWithAndWithoutScoresDoNotMix() throws IOException {
        Path scored = write("scored.csv", "text,text_pair,label\na cat,the dog,0.5\nthe mat,all,0.1\n");
        assertThatThrownBy(() -> new FineTuning(recipe("out", "data.eval=" + scored)).run())
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("one kind");
    }
}
