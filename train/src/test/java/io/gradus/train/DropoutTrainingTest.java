package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The dropout that a model's {@code config.json} sets. */
class DropoutTrainingTest {
    private enum Model {
        GPT2,
        LLAMA;

        ModelConfig config(double p) {
            if (this == GPT2) {
                ConfigJson json = Gpt2Config.of(257, 16, 2, 2, 32).toJson();
                return Gpt2Config.read(
                        json.set("attn_pdrop", p).set("resid_pdrop", p).set("embd_pdrop", p));
            }
            ConfigJson json = LlamaConfig.of(257, 16, 24, 2, 4, 2, 32).toJson();
            return LlamaConfig.read(json.set("attention_dropout", p));
        }
    }

    @TempDir
    private Path folder;

    private Recipe recipe(Model model, double p, String output, String... overrides) {
        Path path = TinyModel.write(folder.resolve(model + "-" + p), model.config(p));
        Path text = TinyModel.writeText(folder.resolve("text.txt"), 200);
        String yaml = """
            model: {path: '%s'}
            data: {train: '%s'}
            output: '%s'
            steps: 4
            batch_size: 3
            learning_rate: 0.01
            save_steps: 2
            check_first_loss: false
            sample: {max_tokens: 0}
            resume: true
            threads: 1
            """.formatted(path, text, folder.resolve(output));
        return Recipe.parse(yaml, overrides);
    }

    private byte[] weights(String output) throws IOException {
        return Files.readAllBytes(folder.resolve(output).resolve("model.safetensors"));
    }

    @ParameterizedTest
    @EnumSource
    void dropoutChangesTrainingAndTheSeedChoosesIt(Model model) throws IOException {
        new FineTuning(recipe(model, 0.3, "dropped")).run();
        new FineTuning(recipe(model, 0.3, "again")).run();
        new FineTuning(recipe(model, 0, "whole")).run();
        assertThat(weights("again")).isEqualTo(weights("dropped"));
        assertThat(weights("whole")).isNotEqualTo(weights("dropped"));
    }

    @ParameterizedTest
    @EnumSource
    void resumedRunDropsTheSame(Model model) throws IOException {
        new FineTuning(recipe(model, 0.3, "whole", "gradient_accumulation_steps=2")).run();
        FineTuning[] first = new FineTuning[1];
        first[0] =
                new FineTuning(recipe(model, 0.3, "stopped", "gradient_accumulation_steps=2"), new TrainingListener() {
                    @Override
                    public void stepped(Step step) {
                        if (step.step() == 3) {
                            first[0].stop();
                        }
                    }
                });
        assertThatThrownBy(() -> first[0].run()).isInstanceOf(StoppedException.class);
        new FineTuning(recipe(model, 0.3, "stopped", "gradient_accumulation_steps=2")).run();
        assertThat(weights("stopped")).isEqualTo(weights("whole"));
    }

    @ParameterizedTest
    @EnumSource
    void activationCheckpointingDropsTheSame(Model model) throws IOException {
        new FineTuning(recipe(model, 0.3, "kept")).run();
        new FineTuning(recipe(model, 0.3, "recomputed", "activation_checkpointing=true")).run();
        assertThat(weights("recomputed")).isEqualTo(weights("kept"));
    }

    @ParameterizedTest
    @EnumSource
    void runTakesThePlannedBytes(Model model) throws IOException {
        Recipe recipe = recipe(model, 0.3, "out");
        var plan = FineTuning.plan(recipe, new ModelFolder(recipe.model().path()).config(), false);
        assertThat(new FineTuning(recipe).run().peakBytes()).isEqualTo(plan.atPeak());
    }
}
