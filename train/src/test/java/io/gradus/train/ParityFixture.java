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
import io.gradus.optim.Adam;
import io.gradus.optim.AdamW;
import io.gradus.optim.GradientClipping;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroups;
import io.gradus.optim.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.TestReporter;

/**
 * What PyTorch and transformers computed with a model; {@code parity.py} beside the fixtures says what the file holds. The relative
 * error of a tensor is {@code max|ours − theirs| / max|theirs|}.
 */
final class ParityFixture implements AutoCloseable {
    private final Path folder;
    private final double tolerance;
    private final SafetensorsFile expected;
    private final JsonNode settings;
    private double worst;
    private @Nullable String worstTensor;

    ParityFixture(Path folder, double tolerance) throws IOException {
        this.folder = folder;
        this.tolerance = tolerance;
        this.expected = SafetensorsFile.open(folder.resolve("expected.safetensors"));
        this.settings = new ObjectMapper()
                .readTree(folder.resolveSibling("hyperparameters.json").toFile());
    }

    /** A number of {@code hyperparameters.json}. */
    JsonNode setting(String name) {
        return settings.get(name);
    }

    boolean has(String tensor) {
        return expected.names().contains(tensor);
    }

    Tensor read(String tensor) throws IOException {
        DType dtype = expected.entry(tensor).dtype().equals("I32") ? DType.I32 : DType.F32;
        return expected.read(tensor, Device.cpu(), dtype, MemoryCategory.ACTIVATIONS);
    }

    /** The names that follow a prefix. */
    List<String> names(String prefix) {
        return expected.names().stream()
                .filter(tensor -> tensor.startsWith(prefix))
                .map(tensor -> tensor.substring(prefix.length()))
                .toList();
    }

    // ---- comparing ----

    void assertClose(String tensor, @Nullable Tensor ours) throws IOException {
        assertClose(tensor, ours, 0);
    }

    /** @param least what the error is relative to, if the largest element of theirs is less */
    void assertClose(String tensor, @Nullable Tensor ours, double least) throws IOException {
        assertThat(ours).as(tensor).isNotNull();
        Tensor theirs = read(tensor);
        assertClose(tensor, ours.reshape(theirs.shape()), theirs, least);
    }

    void assertClose(String tensor, Tensor ours, Tensor theirs, double least) {
        assertThat(ours.shape()).as(tensor).isEqualTo(theirs.shape());
        double[] a = ours.toDoubles();
        double[] b = theirs.toDoubles();
        double distance = 0;
        double scale = least;
        for (int i = 0; i < b.length; i++) {
            assertThat(a[i]).as("%s, element %d", tensor, i).isFinite();
            distance = Math.max(distance, Math.abs(a[i] - b[i]));
            scale = Math.max(scale, Math.abs(b[i]));
        }
        double error = distance / scale;
        if (worstTensor == null || error > worst) {
            worst = error;
            worstTensor = tensor;
        }
        assertThat(error).as("relative error of %s", tensor).isLessThanOrEqualTo(tolerance);
    }

    /** The largest absolute element of all tensors whose name has a prefix. */
    double largest(String prefix) throws IOException {
        double largest = 0;
        for (String name : names(prefix)) {
            for (double element : read(prefix + name).toDoubles()) {
                largest = Math.max(largest, Math.abs(element));
            }
        }
        return largest;
    }

    void report(TestReporter reporter) {
        if (worstTensor != null) {
            reporter.publishEntry("worst relative error", "%s: %.2e in %s".formatted(folder, worst, worstTensor));
        }
    }

    // ---- training ----

    /** The loss of a step. */
    @FunctionalInterface
    interface Loss {
        Variable of(int step) throws IOException;
    }

    /** Trains as the fixture was trained, and compares rates, losses, norms and weights. */
    void assertSteps(List<Variable> parameters, boolean inBackward, Loss losses) throws IOException {
        int steps = settings.get("steps").intValue();
        double peak = settings.get("learning_rate").doubleValue();
        double beta1 = settings.get("betas").get(0).doubleValue();
        double beta2 = settings.get("betas").get(1).doubleValue();
        var constants = new Adam.Settings(beta1, beta2, settings.get("eps").doubleValue());
        var groups = ParameterGroups.withWeightDecay(
                parameters, settings.get("weight_decay").doubleValue());
        Optimizer optimizer = new AdamW(groups, peak, constants);
        Schedule schedule = Schedule.cosine(settings.get("warmup_steps").intValue(), steps, 0);
        GradientClipping clipping =
                new GradientClipping(settings.get("max_grad_norm").doubleValue());
        float[] rates = new float[steps];
        float[] values = new float[steps];
        float[] norms = new float[steps];
        for (int step = 0; step < steps; step++) {
            optimizer.zeroGrad();
            Variable loss = losses.of(step);
            loss.backward();
            double norm = GradientClipping.norm(parameters);
            optimizer.setLearningRate(schedule, step);
            if (inBackward) { // PyTorch clipped: the norm is known from the pass above
                optimizer.zeroGrad();
                norm = optimizer.stepInBackward(losses.of(step), clipping.factor(norm));
            } else {
                optimizer.step(clipping.factor(norm));
            }
            rates[step] = (float) optimizer.learningRate();
            values[step] = (float) loss.item();
            norms[step] = (float) norm;
        }
        assertClose("steps.learning_rate", Tensor.of(rates, steps));
        assertClose("steps.loss", Tensor.of(values, steps));
        assertClose("steps.grad_norm", Tensor.of(norms, steps));
        for (Variable parameter : parameters) {
            assertClose("after." + parameter.name(), parameter.value());
        }
    }

    @Override
    public void close() {
        expected.close();
    }
}
