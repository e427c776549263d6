package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.core.Device;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A resumed run accepts each change that keeps its promise, the bits of an uninterrupted run, and rejects all others. */
class ResumeTest {
    private static final int STEPS = 6;
    private static final int STOPPED = 4;

    @TempDir
    private static Path shared;

    @TempDir
    private Path folder;

    @BeforeAll
    static void write() throws IOException {
        TinyModel.write(shared.resolve("model"));
        TinyModel.write(shared.resolve("wider"), LlamaConfig.of(257, 16, 32, 1, 2, 1, 32));
        TinyModel.writeText(shared.resolve("text.txt"), 60);
        TinyModel.writeText(shared.resolve("other.txt"), 50);
        stop(recipe(shared.resolve("stopped")));
    }

    private static Recipe recipe(Path output, String... changes) {
        return Recipe.builder()
                .model(shared.resolve("model"))
                .train(shared.resolve("text.txt"))
                .output(output)
                .steps(STEPS)
                .batchSize(2)
                .learningRate(0.01)
                .evalSteps(3)
                .maxEvalBlocks(2)
                .saveSteps(0)
                .sampleMaxTokens(0)
                .threads(1)
                .build()
                .with(changes);
    }

    /** Runs four steps and is told to stop. */
    private static void stop(Recipe recipe) {
        FineTuning[] run = new FineTuning[1];
        run[0] = new FineTuning(recipe, new TrainingListener() {
            @Override
            public void stepped(Step step) {
                if (step.step() == STOPPED) {
                    run[0].stop();
                }
            }
        });
        assertThatThrownBy(run[0]::run).isInstanceOf(StoppedException.class);
    }

    /** A copy of a stopped run in another place. */
    private Path copy(Path stopped) throws IOException {
        Path copy = folder.resolve("moved/run");
        Files.createDirectories(copy.getParent());
        try (Stream<Path> files = Files.walk(stopped)) {
            files.forEach(file -> {
                try {
                    Files.copy(file, copy.resolve(stopped.relativize(file)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        return copy;
    }

    private static RunResult resume(Path output, String... changes) throws IOException {
        List<String> all = new ArrayList<>(List.of(changes));
        all.add("resume=true");
        return new FineTuning(recipe(output, all.toArray(String[]::new))).run();
    }

    private static void assertSameModel(Path one, Path other) {
        assertThat(one.resolve("model.safetensors")).hasSameBinaryContentAs(other.resolve("model.safetensors"));
    }

    // ---- every key ----

    /**
     * A change of each key, and what follows: {@code same} bits as an uninterrupted run with the change, or a message. Other
     * keys in a line make the change possible.
     */
    private static final String KEYS = """
            accept_changed_inputs       | accept_changed_inputs=true | same
            activation_checkpointing    | activation_checkpointing=true | same
            batch_size                  | batch_size=3 | batch_size was 2 and is 3
            beta1                       | beta1=0.8 | beta1 was null and is 0.8
            beta2                       | beta2=0.99 | beta2 was null and is 0.99
            check_first_loss            | check_first_loss=false | same
            classification.class_weights | classification.class_weights=balanced | classification.class_weights has no effect
            classification.label_smoothing | classification.label_smoothing=0.1 | classification.label_smoothing has no effect
            classification.problem_type | classification.problem_type=regression | classification.problem_type has no effect
            classification.truncation   | classification.truncation=head | classification.truncation has no effect
            data.chat_template          | data.chat_template=chatml | data.chat_template was null and is chatml
            data.eval                   | data.eval=other.txt | data.eval was not part of the run and is now
            data.format                 | data.format=text | data.format was AUTO and is TEXT
            data.general                | data.general=other.txt | data.general was not part of the run and is now
            data.label_column           | data.label_column=class | data.label_column has no effect
            data.label_template.completion | data.label_template.completion=:{label} | data.label_template.completion was
            data.label_template.prompt  | data.label_template.prompt={text} is | data.label_template.prompt was
            data.max_seq_len            | data.max_seq_len=16 | data.max_seq_len was null and is 16
            data.packing                | data.packing=documents | data.packing was null and is DOCUMENTS
            data.replay                 | data.replay=other.txt;ewc=1 | ewc was 0.0 and is 1.0
            data.replay_ratio           | data.replay_ratio=0.1;data.replay=other.txt | data.replay_ratio was 0.0 and is 0.1
            data.sources                | data.train=null;data.sources=text.txt,other.txt | data.sources was [] and is
            data.text_column            | data.text_column=review | data.text_column has no effect
            data.text_pair_column       | data.text_pair_column=other | data.text_pair_column has no effect
            data.train                  | data.train=other.txt | data.train: other.txt had 1,547 bytes (SHA-256
            data.validation_split       | data.validation_split=0.2 | data.validation_split was 0.05 and is 0.2
            data.variable_bptt          | data.variable_bptt=true | data.variable_bptt has an effect on data.packing=contiguous only
            device                      | device=gpu | device was cpu and is gpu
            early_stopping_patience     | early_stopping_patience=9 | early_stopping_patience was null and is 9
            ema_decay                   | ema_decay=0.9 | ema_decay was null and is 0.9
            epochs                      | epochs=3;steps=null | the run had 6 steps and has
            epsilon                     | epsilon=1e-7 | epsilon was null and is 1.0E-7
            eval_steps                  | eval_steps=2 | same
            ewc                         | ewc=1 | ewc was 0.0 and is 1.0
            ewc_samples                 | ewc_samples=3 | ewc_samples was 64 and is 3
            freeze                      | freeze=lm_head.* | freeze was [] and is ["lm_head.*"]
            gradient_accumulation_steps | gradient_accumulation_steps=2 | gradient_accumulation_steps was 1 and is 2
            gradual_unfreeze_steps      | gradual_unfreeze_steps=2 | gradual_unfreeze_steps was null and is 2
            l2_sp                       | l2_sp=0.1 | l2_sp was 0.0 and is 0.1
            layer_decay                 | layer_decay=0.5 | layer_decay was 1.0 and is 0.5
            learning_rate               | learning_rate=0.02 | learning_rate was 0.01 and is 0.02
            load_best_model_at_end      | load_best_model_at_end=true | load_best_model_at_end was false and is true
            loss_chunk_size             | loss_chunk_size=8 | loss_chunk_size was null and is 8
            matmul_precision            | matmul_precision=medium | matmul_precision was HIGHEST and is MEDIUM
            max_eval_blocks             | max_eval_blocks=1 | same
            max_grad_norm               | max_grad_norm=2 | max_grad_norm was 1.0 and is 2.0
            metric_for_best_model       | metric_for_best_model=loss | metric_for_best_model has no effect
            min_lr_ratio                | min_lr_ratio=0.5 | min_lr_ratio was null and is 0.5, so completed steps such as step
            model.path                  | model.path=wider | model.path: config.json had
            momentum                    | momentum=0.8;optimizer=sgd | momentum was null and is 0.8
            nesterov                    | nesterov=true;optimizer=sgd | nesterov was null and is true
            optimizer                   | optimizer=adam | optimizer was ADAMW and is ADAM
            optimizer_in_bwd            | optimizer_in_bwd=true;max_grad_norm=Infinity | max_grad_norm was 1.0 and is Infinity
            output                      | resume=true | same
            parallel                    | parallel=data | parallel=data trains with several processes
            precision                   | precision=bf16 | precision was F32 and is BF16
            resume                      | resume=true | same
            sample.max_tokens           | sample.max_tokens=3 | same
            sample.prompt               | sample.prompt=Hello | same
            sample.temperature          | sample.temperature=0 | same
            save_dtype                  | save_dtype=bf16 | same
            save_steps                  | save_steps=1 | same
            save_total_limit            | save_total_limit=3 | same
            schedule                    | schedule=linear | schedule was COSINE and is LINEAR, so completed steps such as step
            seed                        | seed=1 | seed was 42 and is 1
            spike_z                     | spike_z=6 | spike_z was null and is 6.0
            steps                       | steps=12 | the run had 6 steps and has 12, so completed steps such as step
            task                        | task=sequence_classification | task was LANGUAGE_MODELING and is SEQUENCE_CLASSIFICATION
            threads                     | threads=2 | same
            warmup_ratio                | warmup_ratio=0.5 | warmup_ratio was 0.05 and is 0.5, so completed steps such as step
            weight_decay                | weight_decay=0.1 | weight_decay was 0.01 and is 0.1
            wise_ft_alpha               | wise_ft_alpha=0.5 | same
            """;

    private static List<String[]> keys() {
        return KEYS.lines().map(line -> line.strip().split(" +\\| ")).toList();
    }

    @Test
    void tableHasEveryKey() {
        assertThat(keys().stream().map(line -> line[0]))
                .containsExactlyElementsOf(
                        new TreeSet<>(Recipe.defaults().toMap().keySet()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("keys")
    void changeOfAKeyKeepsThePromiseOrIsRejected(String key, String change, String outcome) throws IOException {
        String[] changes = Arrays.stream(change.split(";"))
                .map(each -> each.replaceAll("(text|other)\\.txt|wider", shared + "/$0"))
                .toArray(String[]::new);
        Path output = copy(shared.resolve("stopped"));
        if (outcome.equals("same")) {
            RunResult resumed = resume(output, changes);
            String[] fromTheStart = Arrays.stream(changes)
                    .filter(each -> !each.startsWith("accept_changed_inputs"))
                    .toArray(String[]::new);
            RunResult whole = new FineTuning(recipe(folder.resolve("whole"), fromTheStart)).run();

            assertSameModel(output, folder.resolve("whole"));
            assertThat(resumed.after()).isEqualTo(whole.after());
        } else {
            assertThatThrownBy(() -> resume(output, changes)).hasMessageContaining(outcome);
            assertThat(output.resolve("model.safetensors")).doesNotExist();
        }
    }

    // ---- inputs ----

    @Test
    void changedTextOfTheSameNameIsRejectedUnlessAccepted() throws IOException {
        Path text = Files.copy(shared.resolve("text.txt"), folder.resolve("text.txt"));
        Path output = folder.resolve("out");
        String train = "data.train=" + text;
        stop(recipe(output, train));
        long size = Files.size(text);
        Files.writeString(text, Files.readString(text).replace("The cat", "The cow"));

        assertThatThrownBy(() -> resume(output, train))
                .isInstanceOf(IOException.class)
                .hasMessageMatching("(?s)\\Qoutput " + output
                        + ": what the run reads has changed since it began:\n  data.train: text.txt had \\E[\\d,]+ bytes"
                        + " \\(SHA-256 [0-9a-f]{12}…\\) and has [\\d,]+ bytes \\(SHA-256 [0-9a-f]{12}…\\)\n"
                        + "\\QThe result would not be that of an uninterrupted run. Restore the files, or name another output"
                        + " for a new run, or continue with the changed files: accept_changed_inputs=true\\E");
        assertThat(Files.size(text)).isEqualTo(size);

        stopAtOnce(output, train, "accept_changed_inputs=true");
        // Accepted once: the next checkpoint has the new hash, and the recipe does not accept further changes.
        assertThat(Recipe.read(output.resolve("recipe.yaml")).acceptChangedInputs())
                .isFalse();
        assertThat(resume(output, train).steps()).isEqualTo(STEPS);
    }

    /** Resumes, and stops after one step. */
    private void stopAtOnce(Path output, String... changes) {
        List<String> all = new ArrayList<>(List.of(changes));
        all.add("resume=true");
        FineTuning[] run = new FineTuning[1];
        run[0] = new FineTuning(recipe(output, all.toArray(String[]::new)), new TrainingListener() {
            @Override
            public void stepped(Step step) {
                run[0].stop();
            }
        });
        assertThatThrownBy(run[0]::run).isInstanceOf(StoppedException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "config.json, model.path: config.json had",
        "model.safetensors, model.path: model.safetensors had",
        "tokenizer_config.json, model.path: tokenizer_config.json had",
        "additional_chat_templates/rag.jinja, model.path: additional_chat_templates/rag.jinja had"
    })
    void changedFileOfTheModelIsNamed(String name, String message) throws IOException {
        Path model = folder.resolve("model");
        TinyModel.write(model);
        Files.writeString(model.resolve("chat_template.jinja"), "{{ messages }}");
        Files.createDirectory(model.resolve("additional_chat_templates"));
        Files.writeString(model.resolve("additional_chat_templates/rag.jinja"), "{{ messages }}");
        Path output = folder.resolve("out");
        stop(recipe(output, "model.path=" + model));
        if (name.equals("model.safetensors")) {
            LlamaConfig config = LlamaConfig.of(257, 16, 24, 1, 2, 1, 32);
            config.build(WeightSource.random(Device.cpu(1), 8)).save(model);
        } else {
            Files.writeString(model.resolve(name), Files.readString(model.resolve(name)) + "\n");
        }

        assertThatThrownBy(() -> resume(output, "model.path=" + model)).hasMessageContaining(message);
    }

    @Test
    void filesOfAFolderMayBeRenamedInOrderButNotAdded() throws IOException {
        Path texts = Files.createDirectory(folder.resolve("texts"));
        Files.copy(shared.resolve("text.txt"), texts.resolve("a.txt"));
        Files.copy(shared.resolve("other.txt"), texts.resolve("b.txt"));
        Files.writeString(texts.resolve("unread.pdf"), "not read");
        Path output = folder.resolve("out");
        stop(recipe(output, "data.train=" + texts));
        Path moved = Files.move(texts, folder.resolve("moved"));
        Files.move(moved.resolve("b.txt"), moved.resolve("c.txt"));
        Files.writeString(moved.resolve("unread.pdf"), "still not read");
        Path more = Files.writeString(moved.resolve("d.txt"), "More text.");

        assertThatThrownBy(() -> resume(output, "data.train=" + moved))
                .hasMessageContaining("data.train: b.txt is missing\n")
                .hasMessageContaining("data.train: c.txt is new\n")
                .hasMessageContaining("data.train: d.txt is new\n");
        Files.delete(more);
        Files.move(moved.resolve("c.txt"), moved.resolve("c.md"));
        assertThatThrownBy(() -> resume(output, "data.train=" + moved))
                .hasMessageContaining("data.train: b.txt is now c.md, which is read in another way");
        Files.move(moved.resolve("c.md"), moved.resolve("c.txt"));
        assertThat(resume(output, "data.train=" + moved).steps()).isEqualTo(STEPS);
    }

    @Test
    void everythingMayMoveAndBeSpelledAnotherWay() throws IOException {
        new FineTuning(recipe(folder.resolve("whole"))).run();
        Path output = copy(shared.resolve("stopped"));
        Path model = TinyModel.write(folder.resolve("elsewhere/the-model"));
        Path text = Files.copy(shared.resolve("text.txt"), folder.resolve("renamed.txt"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), output);
        Path here = Path.of("").toAbsolutePath();

        resume(
                link,
                "model.path=" + here.relativize(model),
                "data.train=" + text.getParent().resolve("elsewhere/../renamed.txt"));

        assertSameModel(output, folder.resolve("whole"));
    }

    @Test
    void weightsOfSourcesMustNotChange() throws IOException {
        Path output = folder.resolve("out");
        String one = "[{path: '" + shared.resolve("text.txt") + "', weight: %s}, {path: '" + shared.resolve("other.txt")
                + "', weight: 1}]";
        Recipe recipe = Recipe.parse(
                recipe(output, "data.train=null").toYaml().replace("sources: []", "sources: " + one.formatted("2")));
        stop(recipe);
        Recipe changed = Recipe.parse(recipe(output, "data.train=null", "resume=true")
                .toYaml()
                .replace("sources: []", "sources: " + one.formatted("3")));

        assertThatThrownBy(() -> new FineTuning(changed).run())
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("data.sources was [");
        assertThat(new FineTuning(recipe.with("resume=true")).run().steps()).isEqualTo(STEPS);
    }

    // ---- the schedule ----

    private static final String[] EXTENDABLE = {"schedule=constant", "warmup_ratio=0"};

    private static String[] extendable(String... more) {
        return Stream.concat(Arrays.stream(EXTENDABLE), Arrays.stream(more)).toArray(String[]::new);
    }

    @ParameterizedTest
    @CsvSource({"10", "5", "4"})
    void constantScheduleEndsAfterMoreOrFewerStepsLikeARunOfThatLength(int steps) throws IOException {
        Path output = folder.resolve("out");
        stop(recipe(output, EXTENDABLE));
        RunResult resumed = resume(output, extendable("steps=" + steps));
        RunResult whole = new FineTuning(recipe(folder.resolve("whole"), extendable("steps=" + steps))).run();

        assertThat(resumed.steps()).isEqualTo(steps);
        assertThat(resumed.after()).isEqualTo(whole.after());
        assertSameModel(output, folder.resolve("whole"));
    }

    @Test
    void finishedRunIsExtended() throws IOException {
        Path output = folder.resolve("out");
        new FineTuning(recipe(output, extendable("save_steps=2"))).run();
        resume(output, extendable("steps=9"));
        new FineTuning(recipe(folder.resolve("whole"), extendable("steps=9"))).run();

        assertSameModel(output, folder.resolve("whole"));
    }

    @Test
    void fewerStepsThanAreCompletedAreRejected() {
        Path output = folder.resolve("out");
        stop(recipe(output, EXTENDABLE));

        assertThatThrownBy(() -> resume(output, extendable("steps=3")))
                .hasMessage(
                        "recipe: the run would end after 3 steps, but its checkpoint is of step 4; set more steps, or"
                                + " start a new run with another output");
    }

    @Test
    void epochsOfTheSameLengthTakeThePlaceOfSteps() throws IOException {
        Path output = copy(shared.resolve("stopped"));
        long batches =
                new FineTuning(recipe(output)).setup(false).data().training().batchesPerEpoch();
        resume(output, "steps=null", "epochs=" + (STEPS - 0.5) / batches);
        new FineTuning(recipe(folder.resolve("whole"))).run();

        assertSameModel(output, folder.resolve("whole"));
    }

    @Test
    void warmupThatTheStepsDoNotChangeMayBeExtended() throws IOException {
        String[] keys = {"schedule=constant", "warmup_ratio=0.2"}; // 1.2 and 1.4 steps are rounded to 1
        Path output = folder.resolve("out");
        stop(recipe(output, keys));
        resume(output, "schedule=constant", "warmup_ratio=0.2", "steps=7");
        new FineTuning(recipe(folder.resolve("whole"), "schedule=constant", "warmup_ratio=0.2", "steps=7")).run();

        assertSameModel(output, folder.resolve("whole"));
    }

    // ---- the best weights ----

    @ParameterizedTest
    @CsvSource({
        "eval_steps=2, eval_steps was 1 and is 2",
        "max_eval_blocks=1, max_eval_blocks was 2 and is 1",
        "early_stopping_patience=2, early_stopping_patience was 3 and is 2",
        "steps=5, the run would end after 5 steps instead of 6"
    })
    void changeThatChoosesOtherBestWeightsIsRejected(String change, String message) {
        Path output = folder.resolve("out");
        stop(recipe(output, extendable("early_stopping_patience=3", "eval_steps=1")));

        assertThatThrownBy(() -> resume(output, extendable("early_stopping_patience=3", "eval_steps=1", change)))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({
        "early_stopping_patience=4",
        "early_stopping_patience=null load_best_model_at_end=true",
        "early_stopping_patience=null"
    })
    void keepingTheBestMayEndAndStoppingMayComeLater(String change) throws IOException {
        Path output = folder.resolve("out");
        stop(recipe(output, "early_stopping_patience=3", "eval_steps=1"));
        String[] changes = ("early_stopping_patience=3 eval_steps=1 " + change).split(" ");
        resume(output, changes);
        new FineTuning(recipe(folder.resolve("whole"), changes)).run();

        assertSameModel(output, folder.resolve("whole"));
    }

    // ---- checkpoints of earlier versions ----

    @Test
    void checkpointWithoutHashesIsResumedFromTheSamePathsOnly() throws IOException {
        Path output = copy(shared.resolve("stopped"));
        Path file = output.resolve("checkpoints/step-000004/state.json");
        ObjectMapper json = new ObjectMapper();
        ObjectNode state = (ObjectNode) json.readTree(file.toFile());
        state.remove(List.of("inputs", "steps"));
        Files.writeString(file, state.toString());
        Path copied = Files.copy(shared.resolve("text.txt"), folder.resolve("text.txt"));

        assertThatThrownBy(() -> resume(output, "data.train=" + copied)).hasMessageContaining("data.train was ");
        assertThatThrownBy(() -> resume(output, "steps=9")).hasMessageContaining("steps was 6 and is 9");
        resume(output);
        new FineTuning(recipe(folder.resolve("whole"))).run();
        assertSameModel(output, folder.resolve("whole"));
        assertThat(new ModelFolder(output).config()).isNotNull();
    }
}
