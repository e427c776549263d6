package io.gradus.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.LabelTemplate;
import io.gradus.train.recipe.Recipe.OptimizerKind;
import io.gradus.train.recipe.Recipe.ScheduleKind;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A recipe is the defaults, a file over them and the command line over both; what is wrong is said in one line. */
class RecipeTest {

    @Test
    void defaultsAreDocumented() {
        Recipe recipe = Recipe.defaults();

        assertThat(recipe).isEqualTo(Recipe.parse(Recipe.documentation()));
        assertThat(recipe.model().path()).isNull();
        assertThat(recipe.output()).isNull();
        assertThat(recipe.steps()).isNull();
        assertThat(recipe.threads()).isNull();
        assertThat(recipe.data().validationSplit()).isEqualTo(0.05);
        assertThat(recipe.learningRate()).isEqualTo(5e-4);
        assertThat(recipe.schedule()).isEqualTo(ScheduleKind.COSINE);
        assertThat(recipe.optimizer()).isEqualTo(OptimizerKind.ADAMW);
        assertThat(recipe.checkFirstLoss()).isTrue();
        assertThat(recipe.sample().maxTokens()).isEqualTo(120);
        assertThat(recipe.seed()).isEqualTo(42);
    }

    @Test
    void overridesTakePrecedenceOverTheFile() {
        Recipe recipe = Recipe.parse(
                """
                model: {path: base}
                data:
                  train: corpus.txt
                  validation_split: 0.2
                steps: 10
                schedule: linear
                """, "steps=20", "data.validation_split=0.5", "steps=30", "schedule=Constant", "resume=false");

        assertThat(recipe.model().path()).isEqualTo(Path.of("base"));
        assertThat(recipe.data().train()).isEqualTo(Path.of("corpus.txt"));
        assertThat(recipe.data().validationSplit()).isEqualTo(0.5);
        assertThat(recipe.steps()).isEqualTo(30);
        assertThat(recipe.schedule()).isEqualTo(ScheduleKind.CONSTANT);
        assertThat(recipe.batchSize()).isEqualTo(Recipe.defaults().batchSize());
    }

    @ParameterizedTest
    @ValueSource(strings = {"a: b", "[x", "# 1", "007", "1_000", "true", " spaces ", "'quoted'", "key=value", "*", ""})
    void promptOverrideIsTakenLiterally(String prompt) {
        assertThat(Recipe.parse("", "sample.prompt=" + prompt).sample().prompt())
                .isEqualTo(prompt);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2024", "1_0", "C:\\tuned", "a b", "true"})
    void pathMayLookLikeANumber(String path) {
        assertThat(Recipe.parse("", "output=" + path).output()).isEqualTo(Path.of(path));
        assertThat(Recipe.parse("output: '" + path + "'").output()).isEqualTo(Path.of(path));
    }

    @Test
    void numberInAFileIsAPath() {
        assertThat(Recipe.parse("output: 2024").output()).isEqualTo(Path.of("2024"));
    }

    @Test
    void nullAndEmptySectionsAreTheDefaults() {
        assertThat(Recipe.parse("data:\nbatch_size: null\n", "threads=null", "model=null", "device=null"))
                .isEqualTo(Recipe.defaults());
        assertThat(Recipe.parse("steps: 5\nbatch_size: 2", "steps=null", "batch_size=null"))
                .isEqualTo(Recipe.defaults());
    }

    @Test
    void maxGradNormMayBeInfinity() {
        assertThat(Recipe.parse("max_grad_norm: Infinity").maxGradNorm()).isInfinite();
        assertThat(Recipe.parse("", "max_grad_norm=Infinity").maxGradNorm()).isInfinite();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "learing_rate=1|unknown key 'learing_rate'; did you mean 'learning_rate'?",
                "step=1|unknown key 'step'; did you mean 'steps'?",
                "beta3=1|unknown key 'beta3'; did you mean 'beta1'?",
                "data.trian=x|unknown key 'data.trian'; did you mean 'data.train'?",
                "train=x|unknown key 'train'; did you mean 'data.train'?",
                "data.zzzzz=x|unknown key 'data.zzzzz'; known keys are data.train, data.sources, data.eval,"
                        + " data.validation_split, data.general, data.max_seq_len, data.format, data.chat_template,"
                        + " data.label_template, data.packing, data.variable_bptt, data.replay_ratio, data.replay, data.text_column,"
                        + " data.text_pair_column, data.label_column",
                "data.train.x=3|data.train is {\"x\":\"3\"}; it must be a path",
                "steps.x=3|steps is {\"x\":\"3\"}; it must be a whole number",
                "steps=abc|steps is 'abc'; it must be a whole number",
                "steps=1.5|steps is '1.5'; it must be a whole number",
                "steps=99999999999|steps is '99999999999'; it must be a whole number below 2^31",
                "steps=|steps is ''; it must be a whole number",
                "seed=1e3|seed is '1e3'; it must be a whole number",
                "epochs=many|epochs is 'many'; it must be a number",
                "epochs=|epochs is ''; it must be a number",
                "learning_rate=nan|learning_rate is 'nan'; it must be a number",
                "resume=1|resume is '1'; it must be true or false",
                "schedule=cosin|schedule is 'cosin'; it must be cosine or linear or constant or slanted_triangular",
                "schedule=1|schedule is '1'; it must be cosine or linear or constant or slanted_triangular",
                "optimizer=lion|optimizer is 'lion'; it must be adamw or adam or sgd or adafactor or adamw8bit",
                "precision=f8|precision is 'f8'; it must be f32 or bf16 or f16",
                "early_stopping_patience=soon|early_stopping_patience is 'soon'; it must be a whole number",
                "ema_decay=much|ema_decay is 'much'; it must be a number",
                "data.format=xml|data.format is 'xml'; it must be auto or text or prompt_completion or chat or csv",
                "freez=x|unknown key 'freez'; did you mean 'freeze'?",
                "freeze.a=x|freeze is {\"a\":\"x\"}; it must be a list: [one, two], or one,two on the command line",
                "output=|output is ''; it must be a path",
                "data=5|'data' must be keys with values, not '5'",
                "steps|'steps' is not key=value",
                "=5|'=5' is not key=value",
            })
    void wrongOverrideIsReportedInOneLine(String override, String message) {
        assertThatThrownBy(() -> Recipe.parse("", override))
                .isInstanceOf(RecipeException.class)
                .hasMessage("recipe: " + message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "steps=0|steps is 0; it must be at least 1",
                "epochs=0|epochs is 0.0; it must be above 0",
                "batch_size=0|batch_size is 0; it must be at least 1",
                "gradient_accumulation_steps=0|gradient_accumulation_steps is 0; it must be at least 1",
                "learning_rate=-1|learning_rate is -1.0; it must be 0 or more",
                "learning_rate=NaN|learning_rate is NaN; it must be 0 or more",
                "learning_rate=Infinity|learning_rate is Infinity; it must be 0 or more",
                "warmup_ratio=1|warmup_ratio is 1.0; it must be a part of the steps, at least 0 and below 1",
                "min_lr_ratio=1.1|min_lr_ratio is 1.1; it must be a part of the peak, from 0 to 1",
                "weight_decay=-0.1|weight_decay is -0.1; it must be 0 or more",
                "weight_decay=Infinity|weight_decay is Infinity; it must be 0 or more",
                "beta1=1|beta1 is 1.0; it must be from 0 to below 1",
                "beta2=-0.1|beta2 is -0.1; it must be from 0 to below 1",
                "epsilon=0|epsilon is 0.0; it must be above 0",
                "momentum=1|momentum is 1.0; it must be from 0 to below 1",
                "max_grad_norm=0|max_grad_norm is 0.0; it must be above 0; Infinity disables clipping",
                "data.validation_split=1|data.validation_split is 1.0; it must be between 0 and 1",
                "data.max_seq_len=1|data.max_seq_len is 1; it must be at least 2",
                "eval_steps=0|eval_steps is 0; it must be at least 1",
                "max_eval_blocks=0|max_eval_blocks is 0; it must be at least 1",
                "save_steps=-1|save_steps is -1; it must be 0 or more",
                "save_total_limit=0|save_total_limit is 0; it must be at least 1",
                "data.replay_ratio=1|data.replay_ratio is 1.0; it must be at least 0 and below 1",
                "loss_chunk_size=-1|loss_chunk_size is -1; it must be 0 or more",
                "layer_decay=0|layer_decay is 0.0; it must be above 0 and at most 1",
                "gradual_unfreeze_steps=0|gradual_unfreeze_steps is 0; it must be at least 1",
                "l2_sp=-1|l2_sp is -1.0; it must be 0 or more",
                "ewc=NaN|ewc is NaN; it must be 0 or more",
                "ewc_samples=0|ewc_samples is 0; it must be at least 1",
                "ema_decay=1|ema_decay is 1.0; it must be between 0 and 1, such as 0.999",
                "wise_ft_alpha=0|wise_ft_alpha is 0.0; it must be above 0 and at most 1",
                "early_stopping_patience=0|early_stopping_patience is 0; it must be at least 1",
                "spike_z=0|spike_z is 0.0; it must be above 0",
                "sample.max_tokens=-1|sample.max_tokens is -1; it must be 0 or more",
                "sample.temperature=-1|sample.temperature is -1.0; it must be 0 or more",
                "sample.temperature=Infinity|sample.temperature is Infinity; it must be 0 or more",
                "device=tpu|device is tpu; it must be cpu or gpu",
                "threads=0|threads is 0; it must be at least 1",
                "resume=true|resume needs output, the folder of the run to continue",
            })
    void valuesOutOfRangeAreRejected(String override, String message) {
        assertThatThrownBy(() -> Recipe.parse("", override))
                .isInstanceOf(RecipeException.class)
                .hasMessage("recipe: " + message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "optimizer_in_bwd=true gradient_accumulation_steps=2|optimizer_in_bwd frees each gradient at once and"
                        + " cannot accumulate: set gradient_accumulation_steps=1 with a larger batch_size, or"
                        + " optimizer_in_bwd=false",
                "optimizer_in_bwd=true|optimizer_in_bwd updates weights before all gradients are known, so it cannot"
                        + " clip: set max_grad_norm=Infinity, or optimizer_in_bwd=false",
                "optimizer_in_bwd=true max_grad_norm=Infinity precision=f16|optimizer_in_bwd and precision=f16 exclude"
                        + " each other: a step in f16 is skipped when any gradient overflows, but by then weights have"
                        + " changed; use precision=bf16",
                "matmul_precision=medium device=gpu|matmul_precision=medium has no effect with device=gpu, which"
                        + " computes products in F32; set matmul_precision=highest, or device=cpu",
                "l2_sp=1 ewc=1|l2_sp and ewc both keep the weights near their start; use one of them",
                "schedule=slanted_triangular min_lr_ratio=0|schedule=slanted_triangular starts at min_lr_ratio, which"
                        + " is 0, so the first step would have learning rate 0; use min_lr_ratio=0.03125 (1/32)",
                "data.replay=g|data.replay names text to mix in, but data.replay_ratio is 0; set"
                        + " data.replay_ratio=0.05",
                "data.train=a data.sources=b|data.train and data.sources both name text to train on; leave one of them"
                        + " out",
                "data.label_template.prompt=what|data.label_template: the prompt is 'what'; it must contain {text}",
                "data.format=csv data.chat_template=plain|data.chat_template is for chats, and data.format is csv;"
                        + " leave one of them out",
            })
    void contradictoryKeysAreRejected(String overrides, String message) {
        assertThatThrownBy(() -> Recipe.parse("", overrides.split(" ")))
                .isInstanceOf(RecipeException.class)
                .hasMessage("recipe: " + message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lr|learning_rate",
                "per_device_train_batch_size|batch_size",
                "max_seq_len|data.max_seq_len",
                "block_size|data.max_seq_len",
                "num_train_epochs|epochs",
                "lr_scheduler_type|schedule",
                "gradient_checkpointing|activation_checkpointing",
                "optimizer_in_backward|optimizer_in_bwd",
                "resume_from_checkpoint|resume",
                "fp16|precision: f16",
                "bf16|precision: bf16",
                "bfloat16|precision: bf16",
                "dtype|precision",
            })
    void keysOfHuggingFaceAndTorchtuneGetAHint(String key, String ours) {
        assertThatThrownBy(() -> Recipe.parse("", key + "=1"))
                .isInstanceOf(RecipeException.class)
                .hasMessage("recipe: unknown key '" + key + "'; use " + ours);
        assertThatThrownBy(() -> Recipe.parse(key + ": 1")).hasMessageEndingWith("use " + ours);
    }

    @Test
    void builderSetsTheKeysOfTheSameNames() {
        Recipe built = Recipe.builder()
                .model(Path.of("base"))
                .sources(List.of(new Recipe.Source(Path.of("a.txt"), 2.0)))
                .chatTemplate("llama3")
                .labelTemplate(new LabelTemplate("{text}?", " {label}"))
                .learningRate(1e-4)
                .optimizer(OptimizerKind.SGD)
                .maxGradNorm(Double.POSITIVE_INFINITY)
                .freeze(List.of("*norm*", "lm_head"))
                .l2Sp(0.5)
                .samplePrompt("a: b")
                .seed(-3)
                .build();
        assertThat(built).isEqualTo(Recipe.parse("""
            model: {path: base}
            data:
              sources: [{path: a.txt, weight: 2}]
              chat_template: llama3
              label_template: {prompt: "{text}?"}
            learning_rate: 1.0e-4
            optimizer: sgd
            max_grad_norm: Infinity
            freeze: ['*norm*', lm_head]
            l2_sp: 0.5
            sample: {prompt: "a: b"}
            seed: -3
            """));
        assertThatThrownBy(() -> Recipe.builder().steps(0).build())
                .hasMessage("recipe: steps is 0; it must be at least 1");
        int keys = Recipe.defaults().toMap().size() - 1; // label_template has two
        assertThat(Arrays.stream(RecipeBuilder.class.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(method.getModifiers()) && method.getParameterCount() == 1))
                .hasSize(keys);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "optimizer_in_bwd=true max_grad_norm=Infinity",
                "optimizer_in_bwd=true max_grad_norm=Infinity precision=bf16",
                "data.replay_ratio=0.1",
                "model.path=m data.train=t data.general=g ewc=1 data.replay_ratio=0.05",
                "data.chat_template=chatml",
                "data.packing=documents data.format=text",
                "model.path=m data.sources=a.txt,b.txt",
                "model.path=m data.train=t data.replay_ratio=0.1 data.replay=g",
            })
    void compatibleKeysAreAccepted(String overrides) {
        assertThat(Recipe.parse("", overrides.split(" "))).isNotEqualTo(Recipe.defaults());
    }

    @Test
    void sourcesAllHaveWeightsOrNone() {
        Recipe recipe = Recipe.parse("data: {sources: [{path: a.txt, weight: 2}, {path: 'b:c', weight: 0.5}]}");

        assertThat(recipe.data().sources())
                .containsExactly(new Recipe.Source(Path.of("a.txt"), 2.0), new Recipe.Source(Path.of("b:c"), 0.5));
        assertThat(Recipe.parse(recipe.toYaml())).isEqualTo(recipe);
        assertThat(Recipe.parse("data: {sources: [a.txt, {path: b}]}").data().sources())
                .isEqualTo(Recipe.parse("", "data.sources=a.txt, b").data().sources())
                .containsExactly(new Recipe.Source(Path.of("a.txt"), null), new Recipe.Source(Path.of("b"), null));
        assertThatThrownBy(() -> Recipe.parse("data: {sources: [a, {path: b, weight: 1}]}"))
                .hasMessage("recipe: data.sources: give a weight to each of the 2 or to none, which weights them by"
                        + " length; 1 have one");
        assertThatThrownBy(() -> Recipe.parse("data: {sources: [{path: b, weight: 0}]}"))
                .hasMessage("recipe: data.sources.weight is 0.0; it must be above 0");
        assertThatThrownBy(() -> Recipe.parse("data: {sources: [{path: b, weight: much}]}"))
                .hasMessage("recipe: data.sources.0.weight is 'much'; it must be a number");
    }

    @Test
    void listMayBeYamlOrCommaSeparated() {
        List<String> names = List.of("model.embed_tokens.*", "*norm*");
        Recipe recipe = Recipe.parse("freeze: [model.embed_tokens.*, '*norm*']");

        assertThat(recipe.forgetting().freeze()).isEqualTo(names);
        assertThat(Recipe.parse("", "freeze=model.embed_tokens.*, *norm*")).isEqualTo(recipe);
        assertThat(recipe.toMap()).containsEntry("freeze", "[\"model.embed_tokens.*\",\"*norm*\"]");
        assertThat(Recipe.parse("", "freeze=")).isEqualTo(Recipe.defaults());
        assertThat(Recipe.parse("freeze: [a]", "freeze=null")).isEqualTo(Recipe.defaults());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "momentum=0.9|momentum has no effect with optimizer=adamw; remove it or set momentum=null, or use"
                        + " optimizer=sgd",
                "optimizer=adam nesterov=false|nesterov has no effect with optimizer=adam",
                "optimizer=sgd beta1=0.9|beta1 has no effect with optimizer=sgd; remove it or set beta1=null, or use"
                        + " optimizer=adamw or adam or adamw8bit",
                "optimizer=sgd beta2=0.95|beta2 has no effect with optimizer=sgd",
                "optimizer=adafactor epsilon=1e-8|epsilon has no effect with optimizer=adafactor",
                "optimizer=adafactor momentum=0.5|momentum has no effect with optimizer=adafactor",
                "schedule=linear min_lr_ratio=0.1|min_lr_ratio has no effect with schedule=linear; remove it or set"
                        + " min_lr_ratio=null, or use schedule=cosine or slanted_triangular",
                "schedule=constant min_lr_ratio=0|min_lr_ratio has no effect with schedule=constant"
            })
    void keysWithoutEffectOnTheOptimizerOrScheduleAreRejected(String overrides, String message) {
        assertThatThrownBy(() -> Recipe.parse("", overrides.split(" ")))
                .isInstanceOf(RecipeException.class)
                .hasMessageStartingWith("recipe: " + message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "optimizer=adamw beta1=0.8 beta2=0.95 epsilon=1e-6",
                "optimizer=adam beta1=0.8",
                "optimizer=adamw8bit epsilon=1e-6",
                "optimizer=sgd momentum=0.5 nesterov=true",
                "optimizer=adafactor beta1=null momentum=null",
                "schedule=cosine min_lr_ratio=0",
                "schedule=slanted_triangular min_lr_ratio=0.5",
                "schedule=linear min_lr_ratio=null"
            })
    void keysWithEffectAreAcceptedAndWritten(String overrides) {
        Recipe recipe = Recipe.parse("", overrides.split(" "));
        assertThat(Recipe.parse(recipe.toYaml())).isEqualTo(recipe);
    }

    @Test
    void minLrRatioDefaultsToThatOfTheSchedule() {
        assertThat(Recipe.parse("").schedule(100).factor(100)).isEqualTo(0.1);
        assertThat(Recipe.parse("schedule: slanted_triangular").schedule(100).factor(0))
                .isEqualTo(1 / 32.0);
    }

    @Test
    void nesterovWithoutMomentumIsRejected() {
        assertThatThrownBy(() -> Recipe.parse("optimizer: sgd\nmomentum: 0\nnesterov: true"))
                .hasMessage("recipe: nesterov is true; it must be false without momentum");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "steps: 3\nsteps: 4\n",
                "steps: [3\nb: 4\n",
                "a: b: c\n",
                "\tsteps: 1\n",
                "steps: *anchor\n",
                "- steps\n",
                "steps\n",
                "steps: {a: 1}\n",
                "steps: [1]\n",
                "data: [1]\n",
                "sample: {prompt: {a: 1}}\n",
                "nesterov: maybe\n",
                "data: {train: [a.txt, b.txt]}\n",
            })
    void wrongFileIsReportedInOneLine(String yaml) {
        assertThatThrownBy(() -> Recipe.parse(yaml))
                .isInstanceOf(RecipeException.class)
                .message()
                .startsWith("recipe: ")
                .hasLineCount(1)
                .doesNotContain("java.", "io.gradus", "fasterxml", "Feature", "deserialize", "coerce", "token `");
    }

    @Test
    void syntaxErrorHasItsLine() {
        assertThatThrownBy(() -> Recipe.parse("seed: 1\nsteps: 3\nsteps: 4\n"))
                .hasMessage("recipe: not YAML: Duplicate field 'steps' (line 3, column 6)");
    }

    @Test
    void writtenRecipeIsReadBack() {
        Recipe recipe = Recipe.parse("""
            model: {path: base}
            data: {train: c.txt, eval: e.txt, general: g.txt, validation_split: 0.125, max_seq_len: 64}
            output: 'a: b'
            steps: 7
            epochs: 2.5
            schedule: constant
            optimizer: sgd
            nesterov: true
            max_grad_norm: Infinity
            learning_rate: 1.0e-7
            resume: true
            precision: bf16
            freeze: ['*.bias', lm_head]
            ema_decay: 0.999
            spike_z: 6
            early_stopping_patience: 3
            sample: {prompt: "a\\n# 'b': \\"c\\" 007", max_tokens: 0, temperature: 0}
            seed: -9007199254740993
            threads: 3
            """);

        assertThat(Recipe.parse(recipe.toYaml())).isEqualTo(recipe);
        assertThat(Recipe.parse(Recipe.defaults().toYaml())).isEqualTo(Recipe.defaults());
        assertThat(Recipe.parse("", "sample.prompt=007", "output=1e3").toYaml())
                .satisfies(
                        yaml -> assertThat(Recipe.parse(yaml).sample().prompt()).isEqualTo("007"))
                .satisfies(yaml -> assertThat(Recipe.parse(yaml).output()).isEqualTo(Path.of("1e3")));
    }

    @Test
    void mapHasEveryKey() {
        assertThat(Recipe.parse("", "data.validation_split=0.25", "steps=3").toMap())
                .hasSize(72)
                .containsEntry("data.validation_split", "0.25")
                .containsEntry("steps", "3")
                .containsEntry("sample.max_tokens", "120")
                .containsEntry("model.path", "null")
                .containsKeys("data.max_seq_len", "save_total_limit", "check_first_loss", "threads");
    }

    @Test
    void recipeIsReadFromAFile(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("r.yaml"), "steps: 5 # five\n");

        assertThat(Recipe.read(file, "seed=1")).isEqualTo(Recipe.parse("", "steps=5", "seed=1"));
        assertThat(Recipe.read(Files.writeString(file, ""))).isEqualTo(Recipe.defaults());
    }

    @Test
    void unreadableFileIsNamed(@TempDir Path folder) throws IOException {
        Path missing = folder.resolve("none.yaml");
        Path binary = Files.write(folder.resolve("b.yaml"), new byte[] {(byte) 0xFF, (byte) 0xFE});

        assertThatThrownBy(() -> Recipe.read(missing)).hasMessage("recipe " + missing + " is missing");
        assertThatThrownBy(() -> Recipe.read(folder)).hasMessage("recipe " + folder + " is not a file");
        assertThatThrownBy(() -> Recipe.read(binary)).hasMessage("recipe " + binary + " is not UTF-8 text");
        Path large = Files.writeString(folder.resolve("l.yaml"), "# ".repeat(600_000));
        assertThatThrownBy(() -> Recipe.read(large))
                .hasMessage("recipe " + large + " has 1200000 bytes, which is too much for a recipe; name a YAML file");
    }
}
