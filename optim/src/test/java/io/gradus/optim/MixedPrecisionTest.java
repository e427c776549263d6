package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import io.gradus.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 16-bit parameters and gradients with F32 masters, against PyTorch. */
class MixedPrecisionTest {
    private static final int STEPS = 10;

    // ---- against PyTorch ----

    private static Tensor read(SafetensorsFile file, String name) throws IOException {
        return file.read(name, Device.cpu(), DType.F32, MemoryCategory.WEIGHTS);
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void tenStepsMatchPytorch(DType half) throws IOException {
        try (SafetensorsFile file =
                SafetensorsFile.open(PytorchFixture.FOLDER.resolve("mixed_precision.safetensors"))) {
            JsonNode settings = new ObjectMapper().readTree(file.metadata().get("settings"));
            String name = half.name().toLowerCase(java.util.Locale.ROOT);
            Map<String, Variable> parameters = new LinkedHashMap<>();
            for (String parameter : List.of("w0", "b", "w1")) {
                Tensor start = read(file, name + "/start/" + parameter);
                parameters.put(parameter, Variable.parameter(parameter, start.to(half)));
            }
            double rate = settings.get("lr").asDouble();
            JsonNode betas = settings.get("betas");
            Optimizer optimizer = new AdamW(
                    ParameterGroups.single(
                            parameters.values(), settings.get("weight_decay").asDouble()),
                    rate,
                    new Adam.Settings(
                            betas.get(0).asDouble(),
                            betas.get(1).asDouble(),
                            settings.get("eps").asDouble()));
            LossScaler scaler = new LossScaler(new LossScaler.Settings(
                    half == DType.F16 ? settings.get("start_scale").asDouble() : 1,
                    2,
                    0.5,
                    half == DType.F16 ? settings.get("interval").asInt() : 1_000_000));
            Variable x = Variable.constant(read(file, "x"));
            Tensor targets = file.read("targets", Device.cpu(), DType.I32, MemoryCategory.ACTIVATIONS);
            float[] losses = read(file, name + "/loss").toFloats();
            float[] scales = read(file, name + "/scale").toFloats();
            // a master halfway between two 16-bit numbers may be rounded to either, and training continues from there
            double tolerance = half == DType.BF16 ? 5e-4 : 5e-5;
            int skipped = 0;
            for (int step = 0; step < STEPS; step++) {
                assertThat(scaler.scale()).isEqualTo(scales[step]);
                Variable loss = x.linear(parameters.get("w0"), parameters.get("b"))
                        .tanh()
                        .linear(parameters.get("w1"), null)
                        .crossEntropy(targets);
                assertThat(loss.item()).isCloseTo(losses[step], within(tolerance));
                optimizer.zeroGrad();
                scaler.scale(loss).backward();
                boolean stepped = scaler.step(optimizer, _ -> 1).stepped();
                assertThat(stepped).isEqualTo(scales[step + 1] >= scales[step]);
                skipped += stepped ? 0 : 1;
                for (Variable parameter : parameters.values()) {
                    Tensor masters = read(file, name + "/master/" + parameter.name());
                    Tensor weights = read(file, name + "/weight/" + parameter.name());
                    assertClose(optimizer.weight(parameter), masters.slice(step, step + 1), tolerance);
                    double spacing = half == DType.BF16 ? 0x1p-7 : 0x1p-10;
                    assertClose(parameter.value(), weights.slice(step, step + 1), spacing);
                    assertThat(parameter.value().toFloats())
                            .containsExactly(
                                    optimizer.weight(parameter).to(half).toFloats());
                }
            }
            assertThat(scaler.skipped()).isEqualTo(skipped);
            assertThat(skipped).isEqualTo(half == DType.F16 ? 7 : 0);
        }
    }

    private static void assertClose(Tensor actual, Tensor expected, double tolerance) {
        float[] a = actual.toFloats();
        float[] e = expected.toFloats();
        assertThat(a).hasSameSizeAs(e);
        for (int i = 0; i < a.length; i++) {
            assertThat((double) a[i]).isCloseTo(e[i], within(tolerance * Math.max(1, Math.abs(e[i]))));
        }
    }

    // ---- memory ----

    private final Device device = new Device("cpu", 0, new CpuBackend(1));
    private final MemoryLedger memory = device.backend().memory();

    private Tensor random(int place, DType dtype, long... shape) {
        Tensor tensor = Tensor.empty(device, DType.F32, Shape.of(shape), MemoryCategory.WEIGHTS);
        tensor.kernels().random().normal(tensor, 0, 0.5, new Philox.Key(3, 0, place));
        if (dtype == DType.F32) {
            return tensor;
        }
        Tensor converted = tensor.to(dtype);
        tensor.release();
        return converted;
    }

    private List<Variable> parameters(DType dtype) {
        return List.of(
                Variable.parameter("table", random(0, dtype, 50, 40)),
                Variable.parameter("scale", random(1, dtype, 40)),
                Variable.parameter("weight", random(2, dtype, 30, 40)),
                Variable.parameter("bias", random(3, dtype, 30)));
    }

    private Variable loss(List<Variable> p) {
        Tensor ids = Tensor.of(device, new int[] {1, 7, 7, 3, 40, 2}, 6);
        return p.get(0)
                .embedding(ids)
                .rmsNorm(p.get(1), 1e-5)
                .linear(p.get(2), p.get(3))
                .crossEntropy(Tensor.of(device, new int[] {1, 7, 7, 3, 29, 2}, 6));
    }

    /** Bytes per weight between two steps, by category. */
    private Map<MemoryCategory, Double> bytes(DType dtype) {
        Map<MemoryCategory, Long> before = live();
        List<Variable> parameters = parameters(dtype);
        Optimizer optimizer = new AdamW(ParameterGroups.single(parameters, 0), 1e-3);
        for (int step = 0; step < 2; step++) {
            optimizer.zeroGrad();
            try (Scope _ = Scope.open("step")) {
                loss(parameters).backwardAndRelease();
                optimizer.step();
            }
        }
        double count = parameters.stream()
                .mapToLong(parameter -> parameter.value().size())
                .sum();
        Map<MemoryCategory, Double> each = new LinkedHashMap<>();
        live().forEach((category, live) -> {
            if (live - before.get(category) > 0) {
                each.put(category, (live - before.get(category)) / count);
            }
        });
        alive.add(optimizer);
        return each;
    }

    private final List<Optimizer> alive = new ArrayList<>();

    private Map<MemoryCategory, Long> live() {
        Map<MemoryCategory, Long> live = new LinkedHashMap<>();
        for (MemoryCategory category : MemoryCategory.values()) {
            live.put(category, memory.live(category));
        }
        return live;
    }

    @Test
    void trainingTakesSixteenBytesPerWeightInF32AndIn16Bits() {
        assertThat(bytes(DType.F32))
                .isEqualTo(Map.of(
                        MemoryCategory.WEIGHTS, 4.0,
                        MemoryCategory.GRADIENTS, 4.0,
                        MemoryCategory.OPTIMIZER_STATE, 8.0));
        for (DType half : new DType[] {DType.BF16, DType.F16}) {
            assertThat(bytes(half))
                    .isEqualTo(Map.of(
                            MemoryCategory.WEIGHTS, 2.0,
                            MemoryCategory.GRADIENTS, 2.0,
                            MemoryCategory.OPTIMIZER_STATE, 12.0)); // master and two moments
        }
    }

    // ---- masters ----

    private static void gradient(Variable parameter, float... elements) {
        TestParameters.gradient(parameter, elements);
    }

    @Test
    void smallUpdatesAccumulateInTheMaster() {
        Variable w = Variable.parameter("w", Tensor.of(new float[] {1}, 1).to(DType.BF16));
        Optimizer optimizer = new Sgd(TestParameters.group(w), 1e-3);
        gradient(w, -1);
        for (int step = 1; step <= 10; step++) {
            optimizer.step();
            assertThat(optimizer.weight(w).item()).isCloseTo(1 + 1e-3 * step, within(1e-6));
            assertThat(w.value().item()).isEqualTo(step < 4 ? 1 : 1.0078125);
        }
    }

    @Test
    void initMasterWeightSetsTheExactNumbers() {
        Variable w = Variable.parameter("w", Tensor.of(new float[] {1.001f}, 1).to(DType.BF16));
        Variable single = Variable.parameter("single", Tensor.of(new float[] {2}, 1));
        Optimizer optimizer = new Sgd(TestParameters.group(w, single), 1);
        assertThat(optimizer.weight(w).item()).isEqualTo(1);
        optimizer.initMasterWeight(w, Tensor.of(new float[] {1.001f}, 1));
        optimizer.initMasterWeight(single, Tensor.of(new float[] {5}, 1));
        assertThat(optimizer.weight(w).toFloats()).containsExactly(1.001f);
        assertThat(w.value().item()).isEqualTo(1);
        assertThat(optimizer.weight(single)).isSameAs(single.value());
        assertThat(single.value().item()).isEqualTo(2);
    }

    @Test
    void resumedRunEndsWithTheSameBits() {
        Function<List<Variable>, Optimizer> adam = p -> new AdamW(ParameterGroups.single(p, 0.1), 1e-2);
        List<Variable> whole = parameters(DType.BF16);
        Optimizer optimizer = adam.apply(whole);
        train(whole, optimizer, 6);
        List<Variable> first = parameters(DType.BF16);
        Optimizer stopped = adam.apply(first);
        train(first, stopped, 3);
        Map<String, Tensor> saved = new LinkedHashMap<>();
        stopped.state().forEach((name, tensor) -> saved.put(name, tensor.copy()));
        assertThat(saved)
                .containsKeys("table.master", "table.exp_avg", "table.exp_avg_sq", "table.step")
                .hasSize(16);
        List<Variable> second =
                parameters(DType.BF16); // the initial weights: everything else is restored from the state
        Optimizer continued = adam.apply(second);
        continued.load(saved);
        train(second, continued, 3);
        for (int i = 0; i < whole.size(); i++) {
            assertThat(second.get(i).value().toFloats())
                    .containsExactly(whole.get(i).value().toFloats());
            assertThat(continued.weight(second.get(i)).toFloats())
                    .containsExactly(optimizer.weight(whole.get(i)).toFloats());
        }
    }

    @Test
    void everyOptimizerUpdatesTheMasterLikeAnF32Parameter() {
        List<BiFunction<List<ParameterGroup>, Double, Optimizer>> makers =
                List.of(Sgd::new, Adam::new, AdamW::new, Adafactor::new, AdamW8bit::new);
        for (BiFunction<List<ParameterGroup>, Double, Optimizer> maker : makers) {
            Variable half = Variable.parameter("w", random(5, DType.BF16, 80, 64)); // large enough for 8-bit moments
            Variable single = Variable.parameter("w", half.value().to(DType.F32));
            Optimizer mixed = maker.apply(TestParameters.group(half), 1e-2);
            Optimizer plain = maker.apply(TestParameters.group(single), 1e-2);
            for (Optimizer optimizer : List.of(mixed, plain)) {
                optimizer.setPenalty(ProximalPenalty.l2sp(AnchorWeights.of(optimizer.parameters()), 0.5));
            }
            for (int step = 0; step < 3; step++) {
                Tensor gradient = random(10 + step, DType.BF16, 80, 64).to(DType.F32);
                TestParameters.gradient(half, gradient);
                TestParameters.gradient(single, gradient);
                mixed.step();
                plain.step();
            }
            assertThat(mixed.weight(half).toFloats())
                    .containsExactly(single.value().toFloats());
            assertThat(half.value().toFloats())
                    .containsExactly(single.value().to(DType.BF16).toFloats());
            assertThat(mixed.state().keySet())
                    .containsAll(plain.state().keySet())
                    .contains("w.master");
            mixed.load(mixed.state());
        }
    }

    private void train(List<Variable> parameters, Optimizer optimizer, int steps) {
        for (int step = 0; step < steps; step++) {
            optimizer.zeroGrad();
            loss(parameters).backward();
            optimizer.step(new GradientClipping(1).factor(GradientClipping.norm(parameters)));
        }
    }

    @Test
    void stateWithoutMastersIsRejected() {
        Optimizer single = new AdamW(ParameterGroups.single(parameters(DType.F32), 0), 1);
        Optimizer half = new AdamW(ParameterGroups.single(parameters(DType.F16), 0), 1);
        assertThatThrownBy(() -> half.load(single.state()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("missing", "table.master");
        assertThatThrownBy(() -> single.load(half.state())).hasMessageContainingAll("unexpected", "bias.master");
    }

    // ---- norms ----

    @Test
    void normIsThatOfTheRoundedGradients() {
        List<Variable> wide = parameters(DType.F32);
        List<Variable> narrow = parameters(DType.BF16);
        loss(wide).backward();
        loss(narrow).backward();
        double squares = 0;
        for (Variable parameter : narrow) {
            for (double g : Objects.requireNonNull(parameter.grad()).toDoubles()) {
                squares += g * g;
            }
        }
        assertThat(GradientClipping.norm(narrow)).isCloseTo(Math.sqrt(squares), within(1e-9));
        assertThat(GradientClipping.norm(narrow)).isCloseTo(GradientClipping.norm(wide), within(5e-3));
        assertThat(memory.live(MemoryCategory.WORKSPACE)).isZero();
    }

    @Test
    void nonFiniteF16GradientIsNamed() {
        Variable w = Variable.parameter("w", Tensor.of(new float[] {1}, 1).to(DType.F16));
        gradient(w, 1e6f); // overflows: the maximum is 65,504
        assertThat(GradientClipping.nonFinite(List.of(w))).containsExactly("w");
    }
}
