package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import io.gradus.nn.Dropout;
import io.gradus.nn.Given;
import io.gradus.nn.Losses;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.gpt2.Gpt2;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Options that save memory do not change the loss or the gradients. */
class LowMemoryTest {
    private static final int VOCABULARY = 301;
    private static final int LENGTH = 24;

    private final Device device = new Device("cpu", 0, new CpuBackend(1));
    private final MemoryLedger memory = device.backend().memory();

    private static LlamaConfig llama(boolean tied) {
        return LlamaConfig.read(
                LlamaConfig.of(VOCABULARY, 12, 20, 4, 6, 2, 32).toJson().set("tie_word_embeddings", tied));
    }

    static Stream<Function<WeightSource, LanguageModel>> models() {
        return Stream.of(
                weights -> new Llama(llama(true), weights),
                weights -> new Llama(llama(false), weights),
                weights -> new Gpt2(Gpt2Config.of(VOCABULARY, 12, 4, 3, 32), weights));
    }

    private LanguageModel made(Function<WeightSource, LanguageModel> kind) {
        LanguageModel model = Given.randomized(kind.apply(WeightSource.random(device, 7)));
        alive.add(model); // lest the garbage collector changes the count
        return model;
    }

    private Tensor ids() {
        return Tensor.of(
                device,
                IntStream.range(0, 2 * LENGTH).map(i -> i * 31 % VOCABULARY).toArray(),
                2,
                LENGTH);
    }

    private Tensor targets() {
        int[] labels =
                IntStream.range(0, 2 * LENGTH).map(i -> i * 17 % VOCABULARY).toArray();
        return Tensor.of(device, Losses.shiftLabels(labels, LENGTH), 2, LENGTH);
    }

    private Variable plainLoss(LanguageModel model) {
        return model.forward(Input.of(ids())).crossEntropy(targets(), CrossEntropyOptions.of(Reduction.SUM));
    }

    private Variable chunkedLoss(LanguageModel model) {
        return model.lossSum(Input.of(ids()), targets(), 8);
    }

    private static float[] grad(Variable parameter) {
        return Objects.requireNonNull(parameter.grad(), parameter.toString()).toFloats();
    }

    private final List<LanguageModel> alive = new ArrayList<>();

    /** The peak beyond weights and their gradients, in bytes. */
    private long peak(LanguageModel model, Function<LanguageModel, Variable> loss) {
        long before = 0;
        for (int step = 0; step < 2; step++) {
            before = memory.live();
            memory.resetPeak();
            try (Scope _ = Scope.open("step")) {
                loss.apply(model).backwardAndRelease();
            }
        }
        assertThat(memory.live()).isEqualTo(before);
        return memory.peak() - before;
    }

    @ParameterizedTest
    @MethodSource("models")
    void activationCheckpointingKeepsGradientsAndSavesMemory(Function<WeightSource, LanguageModel> kind) {
        LanguageModel plain = made(kind);
        LanguageModel checkpointed = made(kind);
        checkpointed.setActivationCheckpointing(true);
        for (int step = 0; step < 2; step++) { // the second adds up
            try (Scope _ = Scope.open("step")) {
                Variable expected = plainLoss(plain);
                Variable actual = plainLoss(checkpointed);
                assertThat(actual.item()).isEqualTo(expected.item());
                expected.backwardAndRelease();
                actual.backwardAndRelease();
            }
            checkpointed
                    .namedParameters()
                    .forEach((name, parameter) -> assertThat(grad(parameter))
                            .as(name)
                            .containsExactly(grad(plain.namedParameters().get(name))));
        }
        assertThat(peak(checkpointed, this::chunkedLoss)).isLessThan(peak(plain, this::chunkedLoss) * 2 / 3);
    }

    @ParameterizedTest
    @MethodSource("models")
    void chunkedLossEqualsTheLossAndSavesMemory(Function<WeightSource, LanguageModel> kind) {
        LanguageModel plain = made(kind);
        LanguageModel chunked = made(kind);
        try (Scope _ = Scope.open("step")) {
            Variable expected = plainLoss(plain);
            Variable actual = chunkedLoss(chunked);
            assertThat(actual.item()).isCloseTo(expected.item(), within(1e-6 * expected.item()));
            expected.backward();
            actual.backward();
        }
        chunked.namedParameters().forEach((name, parameter) -> {
            float[] gradient =
                    grad(Objects.requireNonNull(plain.namedParameters().get(name)));
            double largest = IntStream.range(0, gradient.length)
                    .mapToDouble(i -> Math.abs(gradient[i]))
                    .max()
                    .orElseThrow();
            for (int i = 0; i < gradient.length; i++) {
                assertThat(grad(parameter)[i]).as(name).isCloseTo(gradient[i], within((float) (1e-5 * largest)));
            }
        });
        long logits = 2L * LENGTH * VOCABULARY * 4;
        assertThat(peak(plain, this::plainLoss) - peak(chunked, this::chunkedLoss))
                .isGreaterThan(logits);
    }

    @ParameterizedTest
    @MethodSource("models")
    void halfPrecisionParametersGiveSimilarLossAndHalfPrecisionGradients(Function<WeightSource, LanguageModel> kind) {
        for (DType half : new DType[] {DType.BF16, DType.F16}) {
            LanguageModel narrow = kind.apply(WeightSource.random(device, 7).to(half));
            LanguageModel wide = kind.apply(WeightSource.random(device, 7));
            BiFunction<LanguageModel, Boolean, Variable> loss =
                    (model, byChunks) -> byChunks ? chunkedLoss(model) : plainLoss(model);
            for (boolean byChunks : new boolean[] {false, true}) {
                double expected = loss.apply(wide, byChunks).item();
                Variable actual = loss.apply(narrow, byChunks);
                assertThat(actual.item()).isCloseTo(expected, within(2e-3 * expected));
                actual.backwardAndRelease();
            }
            narrow.parameters().forEach(parameter -> {
                assertThat(parameter.value().dtype()).isEqualTo(half);
                assertThat(parameter.value().storage().category()).isEqualTo(MemoryCategory.WEIGHTS);
                assertThat(Objects.requireNonNull(parameter.grad()).dtype()).isEqualTo(half);
            });
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void metaDeviceCountsTheSameBytes(Function<WeightSource, LanguageModel> kind) {
        for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
            for (boolean lean : new boolean[] {false, true}) {
                assertThat(counted(Device.meta(), kind, dtype, lean))
                        .as(dtype + (lean ? ", with checkpoints and by chunks" : ""))
                        .isEqualTo(counted(new Device("cpu", 0, new CpuBackend(1)), kind, dtype, lean));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void activationCheckpointKeepsNoF32CopyOf16BitWeights(Function<WeightSource, LanguageModel> kind) {
        long wide = counted(Device.meta(), kind, DType.F32, true).get(MemoryCategory.ACTIVATIONS);
        long narrow = counted(Device.meta(), kind, DType.BF16, true).get(MemoryCategory.ACTIVATIONS);
        long copies = kind.apply(WeightSource.random(device, 7)).parameterCount() * DType.F32.bytes();
        assertThat(narrow - wide).isLessThan(copies / 4);
    }

    /** The bytes by category at the peak of the second step, and the peak. */
    private Map<Object, Long> counted(
            Device on, Function<WeightSource, LanguageModel> kind, DType dtype, boolean lean) {
        LanguageModel model = kind.apply(WeightSource.random(on, 7).to(dtype));
        model.setActivationCheckpointing(lean);
        MemoryLedger ledger = on.backend().memory();
        Map<Object, Long> counted = new HashMap<>();
        for (int step = 0; step < 2; step++) {
            ledger.resetPeak();
            try (Scope _ = Scope.open("step")) {
                Input input = Input.of(ids().to(on));
                Tensor targets = targets().to(on);
                Variable loss = lean
                        ? model.lossSum(input, targets, 0)
                        : model.forward(input).crossEntropy(targets, CrossEntropyOptions.of(Reduction.SUM));
                loss.backwardAndRelease(leaf -> {
                    if (lean) {
                        leaf.releaseGrad();
                    } else {
                        leaf.clearGrad();
                    }
                });
            }
            counted.putAll(ledger.atPeak());
            counted.put("peak", ledger.peak());
        }
        assertThat(model.parameterCount()).isPositive(); // and so it is alive
        return counted;
    }

    @Test
    void dropoutInsideAnActivationCheckpointIsRecomputedEqually() {
        Dropout[] layers = {new Dropout(0.5, 3, 0), new Dropout(0.5, 3, 0)};
        List<float[]> gradients = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Dropout layer = layers[i];
            layer.train();
            Variable x = Variable.parameter("x", Given.random(1, 100));
            for (int step = 0; step < 3; step++) {
                Variable y = i == 0 ? layer.forward(x) : x.checkpoint(layer::forward);
                y.multiply(y).sum().backward();
            }
            gradients.add(grad(x));
        }
        assertThat(gradients.get(1)).containsExactly(gradients.get(0));
    }
}
