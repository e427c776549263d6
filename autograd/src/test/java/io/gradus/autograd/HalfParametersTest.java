package io.gradus.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.op.Cast;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Parameters of 16 bits are read directly or converted; computation is in F32; gradients are rounded when stored. */
class HalfParametersTest {
    private final Device device = new Device("cpu", 0, new CpuBackend(1));
    private final MemoryLedger memory = device.backend().memory();

    private Tensor random(int place, DType dtype, long... shape) {
        Tensor tensor = Tensor.empty(device, DType.F32, Shape.of(shape), MemoryCategory.WEIGHTS);
        tensor.kernels().random().normal(tensor, 0, 0.5, new Philox.Key(3, 0, place));
        return tensor.to(dtype);
    }

    private static Tensor grad(Variable variable) {
        return Objects.requireNonNull(variable.grad());
    }

    /** Compares a function of one parameter stored in 16 bits and operands of F32 with the same numbers in F32. */
    private void assertAlike(DType half, Function<Variable, Variable> function, long... shape) {
        assertAlike(half, DType.F32, function, shape);
    }

    private void assertAlike(DType half, DType result, Function<Variable, Variable> function, long... shape) {
        Variable narrow = Variable.parameter("w", random(1, half, shape));
        Variable wide = Variable.parameter("w", narrow.value().to(DType.F32));
        Variable expected = function.apply(wide);
        Variable actual = function.apply(narrow);
        assertThat(actual.value().dtype()).isEqualTo(result);
        assertThat(actual.value().toFloats())
                .containsExactly(expected.value().to(result).toFloats());
        Tensor gradient = random(2, DType.F32, actual.shape().toArray());
        expected.backward(gradient, false);
        actual.backward(gradient, false);
        assertThat(grad(narrow).dtype()).isEqualTo(half);
        assertThat(grad(narrow).toFloats()).containsExactly(grad(wide).to(half).toFloats());
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void halfParametersGiveF32ResultsAndRoundedGradients(DType half) {
        Variable x = Variable.constant(random(0, DType.F32, 2, 5, 7));
        Variable other = Variable.constant(random(3, DType.F32, 11, 7));
        Tensor ids = Tensor.of(device, new int[] {3, 1, 3, 0}, 2, 2);
        assertAlike(half, w -> x.linear(w, null), 11, 7);
        assertAlike(half, w -> x.linear(w, null, false), 7, 11);
        assertAlike(half, w -> x.matmul(w), 2, 7, 3);
        assertAlike(half, w -> x.matmul(w), 1, 7, 3);
        assertAlike(half, w -> w.matmul(other, false, true), 3, 7);
        assertAlike(half, w -> x.linear(other, w), 11);
        DType computed = device.backend().computesIn(half) ? half : DType.F32;
        assertAlike(half, computed, w -> w.embedding(ids), 5, 6);
        assertAlike(half, w -> x.rmsNorm(w, 1e-5), 7);
        assertAlike(half, w -> x.layerNorm(w, null, 1e-5), 7);
        assertAlike(half, w -> x.layerNorm(Variable.constant(random(4, DType.F32, 7)), w, 1e-5), 7);
        assertAlike(half, w -> x.add(w), 5, 7);
        assertAlike(half, computed, w -> w.reshape(7, 3).silu(), 3, 7);
        Tensor targets = Tensor.of(device, new int[] {3, -100, 10, 0, 2, 1, 1, 1, 4, 5}, 2, 5);
        assertAlike(half, w -> x.linearCrossEntropy(w, targets, CrossEntropyOptions.of(Reduction.SUM), 3), 11, 7);
    }

    @Test
    void rmsNormOfHalfParametersWritesHalfGradients() {
        Variable x = Variable.parameter("x", random(0, DType.BF16, 5, 7));
        Variable y = x.rmsNorm(x.reshape(35).slice(0, 0, 7), 1e-5);
        y.sum().backward();
        assertThat(grad(x).dtype()).isEqualTo(DType.BF16);
    }

    @Test
    void halfGradientIsRoundedOncePerOperationAndPass() {
        // 256 + 1 is halfway between two neighbours in BF16, 256 and 258; the even one is taken.
        Variable w =
                Variable.parameter("w", Tensor.of(device, new float[] {1}, 1).to(DType.BF16));
        w.multiply(256).sum().backward();
        w.multiply(1).sum().backward();
        assertThat(grad(w).toFloats()).containsExactly(256);
        w.clearGrad();
        // within one operation the sum is F32: 256 + 1 + 1
        Variable rows = Variable.constant(Tensor.of(device, new float[] {256, 1, 1}, 3, 1));
        rows.linear(w.reshape(1, 1), null, false).sum().backward();
        assertThat(grad(w).toFloats()).containsExactly(258);
    }

    @Test
    void conversionsOfHalfParametersAreReleased() {
        Variable w = Variable.parameter("w", random(0, DType.BF16, 100, 100));
        Variable x = Variable.constant(random(1, DType.F32, 10, 100));
        for (int pass = 0; pass < 2; pass++) {
            try (Scope _ = Scope.open("step")) {
                x.linear(w, null).sum().backwardAndRelease();
            }
        }
        assertThat(memory.live(MemoryCategory.GRADIENTS)).isEqualTo(100 * 100 * 2);
        assertThat(memory.live(MemoryCategory.WORKSPACE)).isZero();
        assertThat(memory.live(MemoryCategory.ACTIVATIONS)).isZero();
    }

    @Test
    void castRoundsValuesAndPassesTheGradient() {
        Variable x = Variable.parameter("x", Tensor.of(device, new float[] {1.001f, -2, 3}, 3));
        Variable y = x.to(DType.BF16);
        assertThat(y.value().toFloats()).containsExactly(1, -2, 3);
        assertThat(x.to(DType.F32)).isSameAs(x);
        UnaryOperator<Variable> cube = v -> v.multiply(v).multiply(v);
        cube.apply(y).sum().backward();
        assertThat(grad(x).dtype()).isEqualTo(DType.F32);
        assertThat(grad(x).toFloats()).containsExactly(3, 12, 27);
        Variable narrow = Variable.parameter(
                "narrow", Tensor.of(device, new float[] {2}, 1).to(DType.F16));
        narrow.to(DType.BF16).backward(Tensor.of(device, new float[] {1.5f}, 1), false);
        assertThat(grad(narrow).toFloats()).containsExactly(1.5f);
    }

    @Test
    void backwardFromAHalfScalarLeafIsOne() {
        Variable x = Variable.parameter("x", Tensor.of(device, new float[] {2}).to(DType.BF16));
        x.backward();
        assertThat(grad(x).toFloats()).containsExactly(1);
    }

    @Test
    void castToIntegersIsRejected() {
        assertThatThrownBy(() -> new Cast(DType.I32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("cast", "I32");
    }
}
