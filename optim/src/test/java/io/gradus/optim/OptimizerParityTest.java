package io.gradus.optim;

import com.fasterxml.jackson.databind.JsonNode;
import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The weights after each step of SGD, Adam and AdamW against PyTorch. */
class OptimizerParityTest {
    private static final int PARAMETERS = 2;

    static List<String> cases() throws IOException {
        return PytorchFixture.cases("sgd/", "adam/", "adamw/");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void matchesPytorchOnCpu(String name) throws IOException {
        assertMatchesPytorch(name, Device.cpu(), 2e-6);
    }

    /** The fixture was computed in double precision and rounded to F32. */
    @ParameterizedTest
    @MethodSource("cases")
    void matchesPytorchOnReference(String name) throws IOException {
        assertMatchesPytorch(name, Device.reference(), 6e-8);
    }

    /** @param tolerance relative to the weight, absolute below 1 */
    private static void assertMatchesPytorch(String name, Device device, double tolerance) throws IOException {
        try (PytorchFixture fixture = PytorchFixture.open()) {
            List<Variable> parameters = new ArrayList<>();
            List<Tensor> gradients = new ArrayList<>();
            List<Tensor> expected = new ArrayList<>();
            for (int i = 0; i < PARAMETERS; i++) {
                parameters.add(Variable.parameter("p" + i, fixture.read("start/" + i, device)));
                gradients.add(fixture.read("gradient/" + i, device));
                expected.add(fixture.read(name + "/" + i, device));
            }
            Optimizer optimizer = optimizer(name, fixture.settings(name), parameters);
            long steps = expected.getFirst().shape().get(0);
            for (long step = 0; step < steps; step++) {
                for (int i = 0; i < PARAMETERS; i++) {
                    TestParameters.gradient(parameters.get(i), PytorchFixture.at(step, gradients.get(i)));
                }
                optimizer.step();
                for (int i = 0; i < PARAMETERS; i++) {
                    PytorchFixture.assertClose(
                            parameters.get(i).value(),
                            PytorchFixture.at(step, expected.get(i)),
                            tolerance,
                            name + ", step " + step);
                }
            }
        }
    }

    private static Optimizer optimizer(String name, JsonNode settings, List<Variable> parameters) {
        List<ParameterGroup> groups =
                ParameterGroups.single(parameters, settings.get("weight_decay").doubleValue());
        double rate = settings.get("lr").doubleValue();
        return switch (name.substring(0, name.indexOf('/'))) {
            case "sgd" ->
                new Sgd(
                        groups,
                        rate,
                        new Sgd.Settings(
                                settings.get("momentum").doubleValue(),
                                settings.get("dampening").doubleValue(),
                                settings.get("nesterov").booleanValue()));
            case "adam" -> new Adam(groups, rate, adam(settings));
            case "adamw" -> new AdamW(groups, rate, adam(settings));
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static Adam.Settings adam(JsonNode settings) {
        JsonNode betas = settings.get("betas");
        return new Adam.Settings(
                betas.get(0).doubleValue(),
                betas.get(1).doubleValue(),
                settings.get("eps").doubleValue());
    }
}
