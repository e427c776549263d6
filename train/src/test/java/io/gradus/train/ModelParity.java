package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.nn.Losses;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
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
 * fixtures says what they hold.
 */
abstract class ModelParity {
    private static final double TOLERANCE = 1e-4;

    /** The folder of the case. */
    @Parameter
    protected Path folder = Path.of("");

    private LanguageModel model;
    private ParityFixture expected;

    @BeforeEach
    void load() throws IOException {
        model = new ModelFolder(folder).load(Device.cpu());
        expected = new ParityFixture(folder, TOLERANCE);
    }

    @AfterEach
    void reportTheWorstError(TestReporter reporter) {
        expected.close();
        expected.report(reporter);
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
        assertThat(model.namedParameters().keySet()).containsExactlyInAnyOrderElementsOf(expected.names("grad."));
    }

    @Test
    void logitsOfALeftPaddedBatchAgree() throws IOException {
        Tensor mask = read("padded_attention_mask");
        var input = new Input(read("padded_input_ids"), read("padded_position_ids"), mask, null);
        Variable tokens = Variable.constant(mask.to(DType.F32))
                .reshape(mask.shape().get(0), mask.shape().get(1), 1);
        Variable theirs = Variable.constant(read("padded_logits")).multiply(tokens);
        Variable ours = Autograd.noGrad(() -> model.forward(input)).multiply(tokens);
        expected.assertClose("padded_logits", ours.value(), theirs.value(), 0);
    }

    @ParameterizedTest(name = "cache: {0}")
    @ValueSource(booleans = {true, false})
    void greedyGenerationAgrees(boolean cache) throws IOException {
        int[] prompt = Arrays.copyOf(
                read("input_ids").toInts(), expected.setting("prompt_length").intValue());
        var generation = new TextGeneration(
                Sampling.GREEDY, expected.setting("new_tokens").intValue(), Set.of(), cache);
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
        Tensor batches = read("steps.input_ids");
        expected.assertSteps(model.parameters(), inBackward, step -> {
            Tensor ids = batches.slice(step, step + 1)
                    .reshape(batches.shape().get(1), batches.shape().get(2));
            return loss(ids, chunks);
        });
        assertThat(model.namedParameters().keySet()).containsExactlyInAnyOrderElementsOf(expected.names("after."));
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
        return expected.read(tensor);
    }

    protected final void assertClose(String tensor, @Nullable Tensor ours) throws IOException {
        expected.assertClose(tensor, ours);
    }
}
