package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each loss and its gradients equal PyTorch's, computed in double: see {@code generate_losses.py} next to the fixture. */
class LossesMatchPyTorchTest {
    private static final Path FIXTURE = Path.of("src/test/fixtures/losses.safetensors");

    private static List<String> cases(SafetensorsFile file) {
        return file.metadata().keySet().stream()
                .filter(name -> !name.equals("versions"))
                .sorted()
                .toList();
    }

    @Test
    void fixtureHasEveryLossWithEveryReduction() throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(FIXTURE)) {
            assertThat(cases(file)).hasSize(45);
        }
    }

    @TestFactory
    List<DynamicTest> lossAndGradients() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        try (SafetensorsFile file = SafetensorsFile.open(FIXTURE)) {
            for (String name : cases(file)) {
                tests.add(dynamicTest(name, () -> check(name)));
            }
        }
        return tests;
    }

    private static void check(String name) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(FIXTURE)) {
            JsonNode settings = new ObjectMapper().readTree(file.metadata().get(name));
            Reduction reduction =
                    Reduction.valueOf(settings.path("reduction").asText().toUpperCase(Locale.ROOT));
            Variable input = Variable.parameter("input", read(file, name + "/input"));
            Tensor target = read(file, name + "/target");
            Tensor weight = file.contains(name + "/weight") ? read(file, name + "/weight") : null;
            Variable parameter = target.dtype() == DType.I32 ? null : Variable.parameter("target", target);
            Variable loss = parameter == null
                    ? crossEntropy(input, target, weight, reduction, settings)
                    : loss(name, input, parameter, weight, reduction, settings);
            assertClose("loss", loss.value(), read(file, name + "/out"));
            loss.backward(read(file, name + "/grad_out"), false);
            assertClose("gradient of the input", input.grad(), read(file, name + "/grad_input"));
            if (parameter != null && file.contains(name + "/grad_target")) {
                assertClose("gradient of the target", parameter.grad(), read(file, name + "/grad_target"));
            }
        }
    }

    private static Variable loss(
            String name,
            Variable input,
            Variable target,
            @Nullable Tensor weight,
            Reduction reduction,
            JsonNode settings) {
        double threshold = settings.path("threshold").asDouble();
        return switch (name.substring(0, name.indexOf('/'))) {
            case "mse" -> Losses.mseLoss(input, target, reduction);
            case "l1" -> Losses.l1Loss(input, target, reduction);
            case "smooth_l1" -> Losses.smoothL1Loss(input, target, threshold, reduction);
            case "huber" -> Losses.huberLoss(input, target, threshold, reduction);
            case "bce" -> Losses.binaryCrossEntropyWithLogits(input, target, weight, reduction);
            case "kl" ->
                settings.path("log_target").asBoolean()
                        ? Losses.klDivLossOfLogTarget(input, target, reduction)
                        : Losses.klDivLoss(input, target, reduction);
            default -> throw new AssertionError(name);
        };
    }

    private static Variable crossEntropy(
            Variable input, Tensor target, @Nullable Tensor weight, Reduction reduction, JsonNode settings) {
        CrossEntropyOptions options = CrossEntropyOptions.of(reduction)
                .withIgnoreIndex(settings.path("ignore_index").asInt())
                .withLabelSmoothing(settings.path("label_smoothing").asDouble());
        return Losses.crossEntropy(input, target, Objects.requireNonNull(weight), options);
    }

    private static Tensor read(SafetensorsFile file, String name) throws IOException {
        DType dtype = file.entry(name).dtype().equals("I32") ? DType.I32 : DType.F32;
        return file.read(name, Device.cpu(), dtype, MemoryCategory.WORKSPACE);
    }

    private static void assertClose(String what, @Nullable Tensor actual, Tensor expected) {
        assertThat(actual).as(what).isNotNull();
        assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
        double[] a = actual.toDoubles();
        double[] e = expected.toDoubles();
        for (int i = 0; i < a.length; i++) {
            assertThat(Math.abs(a[i] - e[i]))
                    .as("%s: element %d is %s instead of %s", what, i, a[i], e[i])
                    .isLessThanOrEqualTo(2e-6 * (1 + Math.abs(e[i])));
        }
    }
}
