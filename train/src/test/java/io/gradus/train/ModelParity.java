package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.nn.Losses;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.optim.Adam;
import io.gradus.optim.AdamW;
import io.gradus.optim.GradientClipping;
import io.gradus.optim.Optimizer;
import io.gradus.optim.ParameterGroups;
import io.gradus.optim.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A model computes, learns and writes what PyTorch and transformers made of the same weights; {@code parity.py} beside the
 * fixtures says what they hold. The relative error of a tensor is {@code max|ours − theirs| / max|theirs|}.
 */
abstract class ModelParity {
    private static final double TOLERANCE = 1e-4;

    /** The folder of the case. */
    @Parameter
    protected Path folder = Path.of("");

    private LanguageModel model;
    private SafetensorsFile expected;
    private JsonNode settings;
    private double worst;
    private @Nullable String worstTensor;

    @BeforeEach
    void load() throws IOException {
        model = new ModelFolder(folder).load(Device.cpu());
        expected = SafetensorsFile.open(folder.resolve("expected.safetensors"));
        settings = new ObjectMapper()
                .readTree(folder.resolveSibling("hyperparameters.json").toFile());
    }

    @AfterEach
    void reportTheWorstError(TestReporter reporter) {
        expected.close();
        if (worstTensor != null) {
            reporter.publishEntry("worst relative error", "%s: %.2e in %s".formatted(folder, worst, worstTensor));
        }
    }

    @Test
    void logitsLossAndEveryGradientAgree() throws IOException {
        Variable logits = model.forward(Input.of(read("input_ids")));
        Variable loss = loss(logits, read("labels"));
        loss.backward();
        assertClose("logits", logits.value());
        assertClose("loss", loss.value());
        for (Variable parameter : model.parameters()) {
            assertClose("grad." + parameter.name(), parameter.grad());
        }
        assertThat(model.namedParameters().keySet()).containsExactlyInAnyOrderElementsOf(names("grad."));
    }

    @Test
    void logitsOfALeftPaddedBatchAgree() throws IOException {
        Tensor mask = read("padded_attention_mask");
        var input = new Input(read("padded_input_ids"), read("padded_position_ids"), mask, null);
        Variable tokens = Variable.constant(mask.to(DType.F32))
                .reshape(mask.shape().get(0), mask.shape().get(1), 1);
        Variable theirs = Variable.constant(read("padded_logits")).multiply(tokens);
        Variable ours = Autograd.noGrad(() -> model.forward(input)).multiply(tokens);
        assertClose("padded_logits", ours.value(), theirs.value());
    }

    @ParameterizedTest(name = "cache: {0}")
    @ValueSource(booleans = {true, false})
    void greedyGenerationAgrees(boolean cache) throws IOException {
        int[] prompt = Arrays.copyOf(
                read("input_ids").toInts(), settings.get("prompt_length").intValue());
        var generation =
                new TextGeneration(Sampling.GREEDY, settings.get("new_tokens").intValue(), Set.of(), cache);
        assertThat(generation.generate(model, prompt, _ -> {}).ids())
                .containsExactly(read("generated").toInts());
    }

    /** Ways to save memory in a step, none of which is to change what it computes. */
    enum Saving {
        NONE,
        ACTIVATION_CHECKPOINTING,
        LOSS_IN_CHUNKS,
        STEP_IN_BACKWARD,
        ALL
    }

    @ParameterizedTest
    @EnumSource
    void weightsAgreeAfterTenStepsOfAdamW(Saving saving) throws IOException {
        boolean all = saving == Saving.ALL;
        boolean chunks = all || saving == Saving.LOSS_IN_CHUNKS;
        boolean inBackward = all || saving == Saving.STEP_IN_BACKWARD;
        model.setActivationCheckpointing(all || saving == Saving.ACTIVATION_CHECKPOINTING);
        int steps = settings.get("steps").intValue();
        double peak = settings.get("learning_rate").doubleValue();
        double beta1 = settings.get("betas").get(0).doubleValue();
        double beta2 = settings.get("betas").get(1).doubleValue();
        var constants = new Adam.Settings(beta1, beta2, settings.get("eps").doubleValue());
        var groups = ParameterGroups.withWeightDecay(
                model.parameters(), settings.get("weight_decay").doubleValue());
        Optimizer optimizer = new AdamW(groups, peak, constants);
        Schedule schedule = Schedule.cosine(settings.get("warmup_steps").intValue(), steps, 0);
        GradientClipping clipping =
                new GradientClipping(settings.get("max_grad_norm").doubleValue());
        Tensor batches = read("steps.input_ids");
        float[] rates = new float[steps];
        float[] losses = new float[steps];
        float[] norms = new float[steps];
        for (int step = 0; step < steps; step++) {
            Tensor ids = batches.slice(step, step + 1)
                    .reshape(batches.shape().get(1), batches.shape().get(2));
            optimizer.zeroGrad();
            Variable loss = loss(ids, chunks);
            loss.backward();
            double norm = GradientClipping.norm(model.parameters());
            optimizer.setLearningRate(schedule, step);
            if (inBackward) { // PyTorch clipped: the norm is known from the pass above
                optimizer.zeroGrad();
                norm = optimizer.stepInBackward(loss(ids, chunks), clipping.factor(norm));
            } else {
                optimizer.step(clipping.factor(norm));
            }
            rates[step] = (float) optimizer.learningRate();
            losses[step] = (float) loss.item();
            norms[step] = (float) norm;
        }
        assertClose("steps.learning_rate", Tensor.of(rates, steps));
        assertClose("steps.loss", Tensor.of(losses, steps));
        assertClose("steps.grad_norm", Tensor.of(norms, steps));
        for (Variable parameter : model.parameters()) {
            assertClose("after." + parameter.name(), parameter.value());
        }
        assertThat(model.namedParameters().keySet()).containsExactlyInAnyOrderElementsOf(names("after."));
    }

    /** The mean over the shifted labels that count, as transformers has it. */
    private static Variable loss(Variable logits, Tensor labels) {
        int length = Math.toIntExact(labels.shape().get(1));
        int[] targets = Losses.shiftLabels(labels.toInts(), length);
        return logits.crossEntropy(Tensor.of(targets, labels.shape().toArray()));
    }

    /** The same of ids that are the labels too, in chunks from three rows of logits at a time. */
    private Variable loss(Tensor ids, boolean chunks) {
        if (!chunks) {
            return loss(model.forward(Input.of(ids)), ids);
        }
        int[] targets =
                Losses.shiftLabels(ids.toInts(), Math.toIntExact(ids.shape().get(1)));
        long counted = Arrays.stream(targets)
                .filter(t -> t != CrossEntropy.IGNORE_INDEX)
                .count();
        return model.lossSum(Input.of(ids), Tensor.of(targets, ids.shape().toArray()), 3)
                .multiply(1.0 / counted);
    }

    protected final Tensor read(String tensor) throws IOException {
        DType dtype = expected.entry(tensor).dtype().equals("I32") ? DType.I32 : DType.F32;
        return expected.read(tensor, Device.cpu(), dtype, MemoryCategory.ACTIVATIONS);
    }

    private List<String> names(String prefix) {
        return expected.names().stream()
                .filter(tensor -> tensor.startsWith(prefix))
                .map(tensor -> tensor.substring(prefix.length()))
                .toList();
    }

    protected final void assertClose(String tensor, Tensor ours) throws IOException {
        assertThat(ours).as(tensor).isNotNull();
        Tensor theirs = read(tensor);
        assertClose(tensor, ours.reshape(theirs.shape()), theirs);
    }

    private void assertClose(String tensor, Tensor ours, Tensor theirs) {
        assertThat(ours.shape()).as(tensor).isEqualTo(theirs.shape());
        double[] a = ours.toDoubles();
        double[] b = theirs.toDoubles();
        double distance = 0;
        double scale = 0;
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
        assertThat(error).as("relative error of %s", tensor).isLessThanOrEqualTo(TOLERANCE);
    }
}
