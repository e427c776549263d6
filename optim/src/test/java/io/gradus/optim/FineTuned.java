package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The three parameters of {@code finetuning.safetensors}, trained for ten steps with its gradients. */
final class FineTuned {
    final List<Variable> parameters = new ArrayList<>();
    private final List<Tensor> gradients;
    private final Map<String, Tensor> importance = new LinkedHashMap<>();

    /** @param from the prefix of the initial weights: {@code start/} or {@code weights/} */
    FineTuned(PytorchFixture fixture, Device device, String from) throws IOException {
        for (Tensor start : fixture.readAll(from, device)) {
            parameters.add(Variable.parameter("p" + parameters.size(), start));
        }
        gradients = fixture.readAll("gradient/", device);
        List<Tensor> factors = fixture.readAll("importance/", device);
        for (int i = 0; i < factors.size(); i++) {
            importance.put("p" + i + ".fisher", factors.get(i));
        }
    }

    static FineTuned begin(PytorchFixture fixture, Device device) throws IOException {
        return new FineTuned(fixture, device, "start/");
    }

    FisherInformation importance() {
        return FisherInformation.of(importance);
    }

    void gradients(long step) {
        for (int i = 0; i < parameters.size(); i++) {
            TestParameters.gradient(parameters.get(i), PytorchFixture.at(step, gradients.get(i)));
        }
    }

    /** Runs all steps and compares the result of each with the fixture. */
    void assertMatches(PytorchFixture fixture, String name, Device device, double tolerance, Run run)
            throws IOException {
        List<Tensor> expected = fixture.readAll(name + "/", device);
        for (long step = 0; step < expected.getFirst().shape().get(0); step++) {
            gradients(step);
            List<Tensor> left = run.step();
            for (int i = 0; i < left.size(); i++) {
                PytorchFixture.assertClose(
                        left.get(i),
                        PytorchFixture.at(step, expected.get(i)),
                        tolerance,
                        name + ", step " + step + ", parameter " + i);
            }
        }
    }

    /** Performs a step and returns the tensor to compare. */
    @FunctionalInterface
    interface Run {
        List<Tensor> step();
    }

    List<Tensor> values() {
        return parameters.stream().map(Variable::value).toList();
    }
}
