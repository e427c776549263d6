package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.TrainingListener.Step;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each key of a recipe has its effect, and a run with any of them goes on to the same bits after a stop. */
class SettingsTest {
    private static final int STEPS = 6;

    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");
    private Path general = Path.of("");

    @BeforeEach
    void write() throws IOException {
        model = TinyModel.write(folder.resolve("model"), LlamaConfig.of(257, 16, 24, 2, 2, 1, 32));
        text = TinyModel.writeText(folder.resolve("text.txt"), 200);
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 120; i++) {
            lines.append("{\"text\": \"what was known of number %d before it began\"}\n".formatted(i));
        }
        general = Files.writeString(folder.resolve("general.jsonl"), lines);
    }

    private Recipe recipe(String output, String keys) {
        String yaml = """
            model: {path: '%s'}
            data: {train: '%s', validation_split: 0.1, general: '%s'}
            output: '%s'
            steps: %d
            batch_size: 4
            learning_rate: 0.01
            warmup_ratio: 0
            eval_steps: 2
            max_eval_blocks: 2
            save_steps: 3
            sample: {max_tokens: 0}
            resume: true
            threads: 1
            """.formatted(model, text, general, folder.resolve(output), STEPS);
        return Recipe.parse(yaml, keys.isEmpty() ? new String[0] : keys.split(" "));
    }

    private RunResult run(String output, String keys, TrainingListener... listeners) {
        try {
            return new FineTuning(recipe(output, keys), listeners).run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Map<String, float[]> weights(String output) {
        try {
            Map<String, float[]> weights = new LinkedHashMap<>();
            new ModelFolder(folder.resolve(output))
                    .load(Device.cpu(1))
                    .namedParameters()
                    .forEach((name, variable) ->
                            weights.put(name, variable.value().toFloats()));
            return weights;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void assertSameBytes(String one, String other) {
        assertThat(folder.resolve(one).resolve("model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve(other).resolve("model.safetensors"));
    }

    private double distance(String one, String other) {
        Map<String, float[]> others = weights(other);
        double[] sum = {0};
        weights(one)
                .forEach((name, values) -> IntStream.range(0, values.length)
                        .forEach(i -> sum[0] += Math.pow(values[i] - others.get(name)[i], 2)));
        return Math.sqrt(sum[0]);
    }

    /** The learning rates of a run. */
    private List<Double> rates(String output, String keys) {
        List<Double> rates = new ArrayList<>();
        run(output, keys, new TrainingListener() {
            @Override
            public void stepped(Step step) {
                rates.add(step.learningRate());
            }
        });
        return rates;
    }

    // ---- resume ----

    /** Stopped after the third of six steps, and gone on with from there. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "schedule=slanted_triangular warmup_ratio=0.3 min_lr_ratio=0.03125",
                "layer_decay=0.38",
                "gradual_unfreeze_steps=2",
                "gradual_unfreeze_steps=1 layer_decay=0.5 freeze=*norm*",
                "freeze=model.embed_tokens.*,*layers.0.*",
                "l2_sp=3",
                "ewc=3 ewc_samples=8",
                "ema_decay=0.7",
                "ema_decay=0.7 load_best_model_at_end=true eval_steps=1",
                "wise_ft_alpha=0.5",
                "ema_decay=0.5 wise_ft_alpha=0.25 l2_sp=1 data.replay_ratio=0.25 early_stopping_patience=2",
                "data.replay_ratio=0.25",
                "data.packing=documents",
                "optimizer=adafactor learning_rate=0.05",
                "optimizer=adamw8bit",
                "precision=bf16",
                "precision=bf16 optimizer=adafactor l2_sp=1 ema_decay=0.8 wise_ft_alpha=0.5",
                "precision=f16",
                "precision=f16 gradient_accumulation_steps=2 load_best_model_at_end=true eval_steps=1",
                "precision=bf16 gradual_unfreeze_steps=2 freeze=*norm*",
                "activation_checkpointing=true",
                "loss_chunk_size=7",
                "loss_chunk_size=0 precision=bf16 activation_checkpointing=true",
                "optimizer_in_bwd=true max_grad_norm=Infinity",
                "optimizer_in_bwd=true max_grad_norm=Infinity precision=bf16 optimizer=adamw8bit loss_chunk_size=0"
                        + " ema_decay=0.5 activation_checkpointing=true data.packing=documents",
                "optimizer=sgd l2_sp=0.1 ema_decay=0.9 gradient_accumulation_steps=2",
            })
    void resumedRunGivesTheSameBits(String keys) {
        RunResult whole = run("whole", keys);
        for (int stop : new int[] {1, 3, 5}) {
            String output = "stopped" + stop;
            FineTuning[] first = new FineTuning[1];
            first[0] = new FineTuning(recipe(output, keys), new TrainingListener() {
                @Override
                public void stepped(Step step) {
                    if (step.step() == stop) {
                        first[0].stop();
                    }
                }
            });
            assertThatThrownBy(() -> first[0].run()).isInstanceOf(StoppedException.class);
            RunResult result = run(output, keys);

            assertSameBytes(output, "whole");
            assertThat(result.after()).isEqualTo(whole.after());
            assertThat(result.bestStep()).isEqualTo(whole.bestStep());
        }
    }

    // ---- learning rates ----

    @Test
    void slantedTriangularScheduleIsThatOfThePaper() {
        List<Double> rates = rates("out", "schedule=slanted_triangular steps=10 warmup_ratio=0.2 min_lr_ratio=0.03125");

        // Howard & Ruder 2018, equation 3, with T = 10, cut_frac = 0.2, ratio = 32
        for (int t = 0; t < 10; t++) {
            double p = t < 2 ? t / 2.0 : 1 - (t - 2) / (2 * (1 / 0.2 - 1));
            assertThat(rates.get(t)).isCloseTo(0.01 * (1 + p * 31) / 32, within(1e-15));
        }
    }

    @Test
    void layerDecayTrainsLowerLayersMoreSlowly() {
        run("plain", "optimizer=sgd momentum=0 max_grad_norm=Infinity learning_rate=0.1 steps=1 schedule=constant");
        run(
                "decayed",
                "optimizer=sgd momentum=0 max_grad_norm=Infinity learning_rate=0.1 steps=1 schedule=constant"
                        + " layer_decay=0.5");
        Map<String, float[]> start = weights("model");
        Map<String, float[]> plain = weights("plain");
        Map<String, Double> factors = Map.of(
                "model.norm.weight", 1.0,
                "model.layers.1.mlp.up_proj.weight", 0.5,
                "model.layers.0.mlp.up_proj.weight", 0.25);
        Map<String, float[]> decayed = weights("decayed");
        factors.forEach((name, factor) -> {
            float[] expected = new float[start.get(name).length];
            for (int i = 0; i < expected.length; i++) {
                expected[i] = (float) (start.get(name)[i] + factor * (plain.get(name)[i] - start.get(name)[i]));
            }
            assertThat(decayed.get(name)).as(name).containsExactly(expected, offset(1e-6f));
        });
    }

    /** The head is the embeddings' matrix here, so that the top is the norm alone. */
    @ParameterizedTest
    @CsvSource({"1, 1, f32", "2, 2, f32", "3, 3, f32", "4, 4, f32", "1, 1, bf16", "3, 3, bf16", "4, 4, f16"})
    void gradualUnfreezingStartsAtTheTopLayer(int steps, int thawed, String precision) {
        run("out", "gradual_unfreeze_steps=1 steps=" + steps + " precision=" + precision);
        Map<String, float[]> start = weights("model");
        List<String> depths = List.of("model.norm", "layers.1", "layers.0", "embed_tokens");
        weights("out").forEach((name, values) -> {
            int depth = IntStream.range(0, 4)
                    .filter(i -> name.contains(depths.get(i)))
                    .findFirst()
                    .orElse(0);
            if (depth < thawed) {
                assertThat(values).as(name).isNotEqualTo(start.get(name));
            } else {
                assertThat(values).as(name).isEqualTo(start.get(name));
            }
        });
    }

    /** 257·16 embeddings, twice 1952 of a layer, 16 of the norm. */
    @ParameterizedTest
    @CsvSource({
        "'', 8032",
        "freeze=model.norm.weight, 8016",
        "gradual_unfreeze_steps=1 steps=1, 16",
        "gradual_unfreeze_steps=1, 8032"
    })
    void trainedElementsExcludeFrozenOnes(String keys, long trained) {
        long[] told = new long[2];
        run("out", keys, new TrainingListener() {
            @Override
            public void started(Plan plan) {
                told[0] = plan.trained();
                told[1] = plan.memory().parameters();
            }
        });
        assertThat(told).containsExactly(trained, 8032);
    }

    // ---- forgetting ----

    @ParameterizedTest
    @ValueSource(strings = {"f32", "bf16", "f16"})
    void frozenWeightsKeepTheirBits(String precision) {
        run("out", "freeze=*norm*,model.layers.0.* ema_decay=0.5 wise_ft_alpha=0.5 precision=" + precision);
        Map<String, float[]> start = weights("model");
        weights("out").forEach((name, values) -> {
            boolean frozen = name.contains("norm") || name.contains("layers.0.");
            assertThat(Arrays.equals(values, start.get(name))).as(name).isEqualTo(frozen);
        });
        assertThatThrownBy(() -> run("none", "freeze=nothing.like.it"))
                .hasMessageContaining("freeze: no parameter matches nothing.like.it");
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @Test
    void l2SpOfZeroIsPlainTrainingAndHugeL2SpKeepsTheWeights() {
        run("plain", "");
        run("zero", "l2_sp=0");
        run("weak", "l2_sp=10");
        run("strong", "l2_sp=300");
        run("huge", "l2_sp=1e30");

        assertSameBytes("zero", "plain");
        assertThat(distance("weak", "model")).isLessThan(distance("plain", "model"));
        assertThat(distance("strong", "model")).isLessThan(0.5 * distance("weak", "model"));
        assertThat(distance("huge", "model")).isLessThan(1e-6);
    }

    @ParameterizedTest
    @ValueSource(strings = {"f32", "f16"})
    void importanceOfADamagedModelNamesTheWeight(String precision) throws IOException {
        ModelFolder whole = new ModelFolder(model);
        LanguageModel broken = whole.load(Device.cpu(1));
        Tensor norm = Objects.requireNonNull(broken.namedParameters().get("model.norm.weight"))
                .value();
        float[] values = new float[16];
        Arrays.fill(values, Float.NaN);
        norm.copyFrom(Tensor.of(values, 16));
        model = folder.resolve("broken");
        Tokenizer.load(whole.path()).save(model);
        whole.save(broken, model);

        assertThatThrownBy(() -> run("out", "ewc=3 ewc_samples=2 precision=" + precision))
                .isInstanceOf(TrainingException.class)
                .hasMessage(
                        "ewc: the loss on data.general is NaN: the weight model.norm.weight has NaN at [0]; 16 of its 16"
                                + " numbers are not finite");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void ewcKeepsWeightsThatGeneralTextNeeds() {
        run("l2", "l2_sp=30");
        run("ewc", "ewc=30 ewc_samples=8");
        run("strong", "ewc=1e4 ewc_samples=8");
        run("plain", "");

        assertThat(distance("ewc", "l2")).isPositive();
        assertThat(distance("strong", "model")).isLessThan(distance("ewc", "model"));
        assertThat(distance("strong", "model")).isLessThan(distance("plain", "model"));
    }

    @ParameterizedTest
    @CsvSource({"f32, 0", "bf16, 0.005"})
    void emaLagsBehindTheWeights(String precision, double rounding) {
        String keys = "schedule=constant precision=" + precision;
        run("plain", keys);
        RunResult averaged = run("averaged", keys + " ema_decay=0.9 load_best_model_at_end=true");
        run("quick", keys + " ema_decay=1e-9");

        assertThat(distance("averaged", "model")).isPositive().isLessThan(0.6 * distance("plain", "model"));
        assertThat(distance("quick", "plain")).isLessThan(1e-6);
        assertThat(averaged.bestStep()).isEqualTo(STEPS);
        assertThat(averaged.after().get("held_out")).isCloseTo(loss("averaged"), within(rounding));
        assertSameBytes("averaged", "averaged/checkpoints/best");
    }

    @Test
    void wiseFtInterpolatesTheWeights() {
        run("plain", "");
        RunResult half = run("half", "wise_ft_alpha=0.5");

        Map<String, float[]> start = weights("model");
        Map<String, float[]> tuned = weights("plain");
        weights("half").forEach((name, values) -> {
            float[] middle = new float[values.length];
            for (int i = 0; i < middle.length; i++) {
                middle[i] = (start.get(name)[i] + tuned.get(name)[i]) / 2;
            }
            assertThat(values).as(name).containsExactly(middle, offset(1e-6f));
        });
        assertThat(half.after().get("held_out")).isEqualTo(loss("half"));
    }

    /** The loss on held-out text of the weights that a run wrote. */
    private double loss(String output) {
        try {
            Recipe recipe = recipe("unused", "");
            ModelFolder written = new ModelFolder(folder.resolve(output));
            TrainingData data = TrainingData.read(recipe, Texts.NONE, Tokenizer.load(written.path()), 32);
            return Evaluator.loss(
                    written.load(Device.cpu(1)), data.evaluation().get("held_out"), LossFunction.crossEntropy(null));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void replayKeepsTheGeneralLossLower() {
        String keys = "steps=40 learning_rate=0.02 eval_steps=40 ";
        RunResult plain = run("plain", keys);
        RunResult mixed = run("mixed", keys + "data.replay_ratio=0.5");

        assertThat(mixed.after().get("general")).isLessThan(plain.after().get("general") - 0.1);
    }

    // ---- memory ----

    @ParameterizedTest
    @ValueSource(strings = {"activation_checkpointing=true", "optimizer_in_bwd=true"})
    void memorySavingsKeepTheBits(String keys) {
        run("plain", "max_grad_norm=Infinity");
        run("lean", "max_grad_norm=Infinity " + keys);

        assertSameBytes("lean", "plain");
    }

    @Test
    void lossChunksAgreeUpToRounding() {
        String sgd = "optimizer=sgd learning_rate=0.1 ";
        RunResult plain = run("plain", sgd);
        RunResult chunked = run("chunked", sgd + "loss_chunk_size=7");

        assertThat(distance("chunked", "plain")).isLessThan(1e-5);
        assertThat(chunked.after().get("held_out")).isCloseTo(plain.after().get("held_out"), within(1e-5));
    }

    @ParameterizedTest
    @CsvSource({"precision=bf16, 16", "precision=f16, 16", "optimizer=sgd momentum=0, 8", "'', 16"})
    void bytesPerParameterAreThoseOfTheRuleOfThumb(String keys, double bytes) throws IOException {
        Recipe recipe = recipe("out", keys);
        var plan = FineTuning.plan(recipe, new ModelFolder(model).config(), false);

        assertThat(plan.bytesPerParameter()).isCloseTo(bytes, within(0.05));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bf16", "f16"})
    void sixteenBitTrainingLearnsAsMuch(String precision) {
        String keys = "steps=60 eval_steps=60 learning_rate=0.02";
        RunResult whole = run("whole", keys);
        RunResult half = run("half", keys + " precision=" + precision);

        assertThat(whole.after().get("held_out"))
                .isLessThan(0.6 * whole.before().get("held_out"));
        assertThat(half.after().get("held_out"))
                .isCloseTo(
                        whole.after().get("held_out"),
                        within(0.02 * whole.before().get("held_out")));
    }

    // ---- data ----

    @Test
    void lossFallsOnSeveralSourcesAndLabeledTexts() throws IOException {
        StringBuilder lines = new StringBuilder("text,label\n");
        for (int i = 0; i < 60; i++) {
            lines.append(i % 2 == 0 ? "it was good,yes\n" : "it was bad,no\n");
        }
        Path labeled = Files.writeString(folder.resolve("labeled.csv"), lines);
        Recipe recipe =
                Recipe.parse(recipe("out", "").toYaml(), "data.train=null", "data.sources=" + text + "," + labeled);
        RunResult result = new FineTuning(recipe).run();

        assertThat(result.after().get("held_out")).isLessThan(result.before().get("held_out"));
    }
}
