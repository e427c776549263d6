package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.Device;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The recipe key {@code matmul_precision}. */
final class MatmulPrecisionTrainingTest {
    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() throws IOException {
        model = TinyModel.write(folder.resolve("model"), LlamaConfig.of(257, 16, 24, 2, 2, 1, 32));
        text = TinyModel.writeText(folder.resolve("text.txt"), 200);
    }

    private Recipe recipe(String output, String... keys) {
        String yaml = """
            model: {path: '%s'}
            data: {train: '%s', validation_split: 0.1}
            output: '%s'
            steps: 6
            batch_size: 4
            optimizer: sgd
            learning_rate: 0.1
            warmup_ratio: 0
            sample: {max_tokens: 0}
            threads: 1
            """.formatted(model, text, folder.resolve(output));
        return Recipe.parse(yaml, keys);
    }

    private RunResult run(String output, String... keys) throws IOException {
        return new FineTuning(recipe(output, keys)).run();
    }

    private Map<String, float[]> weights(String output) throws IOException {
        Map<String, float[]> weights = new LinkedHashMap<>();
        new ModelFolder(folder.resolve(output))
                .load(Device.cpu(1))
                .namedParameters()
                .forEach((name, variable) -> weights.put(name, variable.value().toFloats()));
        return weights;
    }

    /** The distance of the weights of two runs, relative to the distance that the first moved them. */
    private double distance(String one, String other) throws IOException {
        return norm(weights(one), weights(other)) / norm(weights(one), weights("model"));
    }

    private static double norm(Map<String, float[]> one, Map<String, float[]> other) {
        double sum = 0;
        for (Map.Entry<String, float[]> entry : one.entrySet()) {
            float[] others = other.get(entry.getKey());
            for (int i = 0; i < others.length; i++) {
                sum += Math.pow((double) entry.getValue()[i] - others[i], 2);
            }
        }
        return Math.sqrt(sum);
    }

    @Test
    void mediumIsNearF32() throws IOException {
        RunResult exact = run("exact");
        RunResult medium = run("medium", "matmul_precision=medium");

        assertThat(distance("exact", "medium")).isBetween(1e-5, 1e-2);
        assertThat(medium.after().get("held_out")).isCloseTo(exact.after().get("held_out"), within(1e-3));
    }

    @Test
    void mediumHasTheSameBitsForAnyNumberOfThreads() throws IOException {
        run("one", "matmul_precision=medium");
        run("two", "matmul_precision=medium", "threads=2");

        assertThat(folder.resolve("two/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("one/model.safetensors"));
    }

    @Test
    void highIsWithinItsToleranceOfF32() throws IOException {
        run("exact");
        run("high", "matmul_precision=high");

        assertThat(distance("exact", "high")).isLessThan(3e-5);
    }

    @Test
    void modelInMemoryMustBeOnADeviceOfThePrecision() throws IOException {
        PretrainedModel loaded = new ModelFolder(model).load(Device.cpu(1));
        FineTuning run = FineTuning.builder(recipe("out", "matmul_precision=medium"))
                .model(loaded, new ByteTokenizer())
                .build();
        assertThatThrownBy(run::run)
                .isInstanceOf(RecipeException.class)
                .hasMessageContainingAll(
                        "matmul_precision", "MEDIUM", "HIGHEST", "withMatmulPrecision(MatmulPrecision.MEDIUM)");
    }
}
