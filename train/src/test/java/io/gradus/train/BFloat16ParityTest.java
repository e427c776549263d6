package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.nn.Losses;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Gradients of a model in BF16 are no further from those in double precision than PyTorch's with a model in BF16; the script beside
 * the fixtures says what they hold.
 */
class BFloat16ParityTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures");

    /** ‖g − exact‖² and ‖exact‖² of a tensor over all batches. */
    private static final class Distance {
        private double error;
        private double size;
        private int elements;

        void add(double[] ours, double[] exact) {
            elements = exact.length;
            for (int i = 0; i < exact.length; i++) {
                error += (ours[i] - exact[i]) * (ours[i] - exact[i]);
                size += exact[i] * exact[i];
            }
        }

        double relative() {
            return Math.sqrt(error / size);
        }
    }

    @ParameterizedTest
    @CsvSource({"gpt2,gpt2/tied", "llama,llama/grouped-untied", "qwen3,decoders/qwen3"})
    void gradientsAreAsNearDoublePrecisionAsThoseOfPyTorch(String name, String folder, TestReporter reporter)
            throws IOException {
        LanguageModel model = new ModelFolder(FIXTURES.resolve(folder)).load(Device.cpu(), DType.BF16);
        JsonNode theirs = new ObjectMapper()
                .readTree(FIXTURES.resolve("bf16").resolve(name + ".json").toFile());
        Map<String, Distance> ours = new LinkedHashMap<>();
        try (SafetensorsFile file =
                SafetensorsFile.open(FIXTURES.resolve("bf16").resolve(name + ".safetensors"))) {
            Tensor batches = read(file, "input_ids", DType.I32);
            double[] losses = read(file, "loss", DType.F64).toDoubles();
            for (int i = 0; i < losses.length; i++) {
                Tensor ids = batches.slice(i, i + 1)
                        .reshape(batches.shape().get(1), batches.shape().get(2));
                Variable loss = loss(model, ids);
                loss.backward();
                add(ours, "loss", new double[] {loss.item()}, new double[] {losses[i]});
                for (Variable parameter : model.parameters()) {
                    Tensor exact = read(file, "grad." + i + "." + parameter.name(), DType.F32);
                    Tensor gradient = Objects.requireNonNull(parameter.takeGrad());
                    assertThat(gradient.dtype()).isEqualTo(DType.BF16);
                    add(ours, String.valueOf(parameter.name()), gradient.toDoubles(), exact.toDoubles());
                }
            }
        }
        ours.forEach((tensor, distance) -> reporter.publishEntry(
                tensor,
                String.format(
                        Locale.ROOT,
                        "%.4f, PyTorch %.4f, with autocast %.4f",
                        distance.relative(),
                        theirs.get(tensor).get("pure").doubleValue(),
                        theirs.get(tensor).get("autocast").doubleValue())));
        assertThat(ours.remove("loss").relative())
                .isLessThan(2e-3); // a loss is one number, whose errors cancel by chance
        assertThat(ours).allSatisfy((tensor, distance) -> {
            // the errors of a vector of twenty elements are too few for their mean to be exact
            double noise = distance.elements < 100 ? 1.1 : 1;
            assertThat(distance.relative())
                    .as(tensor)
                    .isPositive()
                    .isLessThanOrEqualTo(noise * theirs.get(tensor).get("pure").doubleValue());
        });
    }

    private static void add(Map<String, Distance> distances, String tensor, double[] ours, double[] exact) {
        distances.computeIfAbsent(tensor, _ -> new Distance()).add(ours, exact);
    }

    private static Variable loss(LanguageModel model, Tensor ids) {
        int[] targets =
                Losses.shiftLabels(ids.toInts(), Math.toIntExact(ids.shape().get(1)));
        return model.forward(Input.of(ids))
                .crossEntropy(Tensor.of(targets, ids.shape().toArray()));
    }

    private static Tensor read(SafetensorsFile file, String tensor, DType dtype) throws IOException {
        return file.read(tensor, Device.cpu(), dtype, MemoryCategory.ACTIVATIONS);
    }
}
