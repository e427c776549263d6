package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.nn.Losses;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.bert.BertNetwork;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each encoder with each head computes, learns and writes what transformers does, of which the fixture holds the numbers in F64. */
@ParameterizedClass
@ValueSource(
        strings = {
            "bert",
            "bert-masked",
            "bert-untied",
            "bert-sequence",
            "bert-token",
            "roberta",
            "roberta-masked",
            "roberta-sequence",
            "roberta-token",
            "xlm-roberta-masked",
            "distilbert",
            "distilbert-masked",
            "distilbert-sequence",
            "distilbert-token",
            "modernbert",
            "modernbert-masked",
            "modernbert-biased",
            "modernbert-sequence",
            "modernbert-mean",
            "modernbert-token"
        })
class EncoderParityTest {
    private static final Path FOLDER = Path.of("src/test/fixtures/encoders");
    private static final double TOLERANCE = 1e-5;

    @Parameter
    private String name = "";

    private Path folder;
    private PretrainedModel model;
    private ParityFixture expected;

    @BeforeEach
    void load() throws IOException {
        folder = FOLDER.resolve(name);
        model = load(folder);
        expected = new ParityFixture(folder, TOLERANCE);
    }

    private static PretrainedModel load(Path folder) throws IOException {
        ModelFolder opened = ModelFolder.open(folder);
        return opened.withHead(opened.savedHead()).loadModel(Device.cpu(), DType.F32);
    }

    @AfterEach
    void reportTheWorstError(TestReporter reporter) {
        expected.close();
        expected.report(reporter);
    }

    @Test
    void logitsLossAndEveryGradientAgree() throws IOException {
        Input input = input(expected.read("input_ids"));
        Variable hidden = model.hiddenStates(input);
        Variable logits = model.logits(hidden);
        Variable loss = loss(hidden, expected.read("labels"));
        loss.backward();
        expected.assertClose(
                "logits", ofTokens(logits).value(), ofTokens(theirs("logits")).value(), 0);
        if (expected.has("pooled")) {
            expected.assertClose("pooled", ((BertNetwork) model).pooled(hidden).value());
        }
        expected.assertClose("loss", loss.value());
        double largest = expected.largest("grad.");
        for (Variable parameter : model.parameters()) {
            String gradient = "grad." + parameter.name();
            expected.assertClose(gradient, parameter.grad(), isZero(gradient, largest) ? largest : 0);
        }
        assertThat(model.namedParameters().keySet()).containsExactlyInAnyOrderElementsOf(expected.names("grad."));
    }

    /** The gradient of a key's bias is 0: it adds the same number to all scores of a row. What is computed is rounding. */
    private boolean isZero(String gradient, double largest) throws IOException {
        double most = 0;
        for (double element : expected.read(gradient).toDoubles()) {
            most = Math.max(most, Math.abs(element));
        }
        return most < 1e-7 * largest;
    }

    @ParameterizedTest(name = "saving memory: {0}")
    @ValueSource(booleans = {false, true})
    void weightsAgreeAfterTenStepsOfAdamW(boolean saving) throws IOException {
        model.setActivationCheckpointing(saving);
        Tensor batches = expected.read("steps.input_ids");
        Tensor labels = expected.read("steps.labels");
        expected.assertSteps(
                model.parameters(),
                saving,
                step -> loss(model.hiddenStates(input(row(batches, step))), row(labels, step)));
        assertThat(model.namedParameters().keySet()).containsExactlyInAnyOrderElementsOf(expected.names("after."));
    }

    @Test
    void savedFolderIsThatOfTransformers(@TempDir Path saved) throws IOException {
        model.save(saved);
        PretrainedModel again = load(saved);
        assertThat(again.head()).isEqualTo(model.head());
        assertThat(again.config()).isEqualTo(model.config());
        Input input = input(expected.read("input_ids"));
        Variable logits = Autograd.noGrad(() -> again.forward(input));
        expected.assertClose(
                "logits", ofTokens(logits).value(), ofTokens(theirs("logits")).value(), 0);
        assertThat(ModelFolder.open(saved).savedHead())
                .isEqualTo(ModelFolder.open(folder).savedHead());
    }

    private Input input(Tensor ids) throws IOException {
        Tensor types = expected.has("token_type_ids") ? expected.read("token_type_ids") : null;
        return Input.padded(ids, expected.read("attention_mask"), types);
    }

    private static Tensor row(Tensor tensor, int index) {
        long[] shape = tensor.shape().toArray();
        return tensor.slice(index, index + 1).reshape(java.util.Arrays.copyOfRange(shape, 1, shape.length));
    }

    private Variable theirs(String tensor) throws IOException {
        return Variable.constant(expected.read(tensor));
    }

    /** With zeros in place of padding. */
    private Variable ofTokens(Variable logits) throws IOException {
        if (logits.shape().rank() < 3) {
            return logits;
        }
        Tensor mask = expected.read("attention_mask");
        return logits.multiply(Variable.constant(mask.to(DType.F32))
                .reshape(mask.shape().get(0), mask.shape().get(1), 1));
    }

    /** The losses of transformers; {@code generate.py} says what that of a bare model is. */
    private Variable loss(Variable hidden, Tensor labels) {
        CrossEntropyOptions mean = CrossEntropyOptions.of(Reduction.MEAN);
        return switch (model.head()) {
            case Head.None _ -> bareLoss(hidden, labels);
            case Head.LanguageModeling _, Head.TokenClassification _ -> model.crossEntropy(hidden, labels, mean, 2);
            case Head.SequenceClassification(Labels names) ->
                switch (names.problemType()) {
                    case SINGLE_LABEL_CLASSIFICATION -> model.crossEntropy(hidden, labels, mean, 0);
                    case MULTI_LABEL_CLASSIFICATION ->
                        Losses.binaryCrossEntropyWithLogits(
                                model.logits(hidden), Variable.constant(labels), null, Reduction.MEAN);
                    case REGRESSION -> Losses.mseLoss(model.logits(hidden), Variable.constant(labels));
                };
        };
    }

    private Variable bareLoss(Variable hidden, Tensor labels) {
        Variable loss = hidden.crossEntropy(labels);
        if (!(model instanceof BertNetwork bert)) {
            return loss;
        }
        int length = Math.toIntExact(labels.shape().get(1));
        int[] all = labels.toInts();
        int[] first = new int[all.length / length];
        for (int row = 0; row < first.length; row++) {
            first[row] = Math.max(0, all[row * length]);
        }
        return loss.add(bert.pooled(hidden).crossEntropy(Tensor.of(first, first.length)));
    }
}
