package io.gradus.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Philox;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.CpuBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Results and gradients have the dtype of their operands; losses, sums and statistics are F32. */
class HalfActivationsTest {
    private final Device device = new Device("cpu", 0, new CpuBackend(1));
    private final MemoryLedger memory = device.backend().memory();

    private Tensor random(int place, DType dtype, long... shape) {
        Tensor tensor = Tensor.empty(device, DType.F32, Shape.of(shape), MemoryCategory.ACTIVATIONS);
        tensor.kernels().random().normal(tensor, 0, 0.5, new Philox.Key(3, 0, place));
        return tensor.to(DType.BF16).to(dtype);
    }

    private Variable half(int place, long... shape) {
        return Variable.parameter("x" + place, random(place, DType.BF16, shape));
    }

    private static DType dtype(Variable variable) {
        return variable.value().dtype();
    }

    @Test
    void resultsHaveTheDtypeOfTheirOperands() {
        Variable x = half(0, 2, 6, 8);
        Variable weight = half(1, 8, 8);
        Variable row = half(2, 8);
        Tensor ids = Tensor.of(device, new int[] {3, 1}, 2);
        List<Variable> results = List.of(
                x.add(x),
                x.add(0.1),
                x.multiply(row),
                x.gelu(),
                x.softmax(-1),
                x.rmsNorm(row, 1e-5),
                x.layerNorm(row, row, 1e-5),
                x.linear(weight, row),
                x.matmul(weight),
                x.reshape(2, 6, 2, 4)
                        .attention(x.reshape(2, 6, 2, 4), x.reshape(2, 6, 2, 4), AttentionOptions.causal(4)),
                weight.embedding(ids),
                x.permute(1, 0, 2),
                x.slice(1, 0, 3),
                Variable.concat(1, List.of(x, x)),
                x.dropout(0.5, new Philox.Key(1, 0, 0)));
        assertThat(results).allSatisfy(result -> assertThat(dtype(result)).isEqualTo(DType.BF16));
    }

    @Test
    void lossesSumsAndResultsOfMixedOperandsAreF32() {
        Variable x = half(0, 6, 8);
        Variable single = Variable.constant(random(1, DType.F32, 6, 8));
        Tensor targets = Tensor.of(device, new int[] {1, 2, 3, 4, 5, CrossEntropy.IGNORE_INDEX}, 6);
        List<Variable> results = List.of(
                x.sum(),
                x.mean(0),
                x.crossEntropy(targets, CrossEntropyOptions.of(Reduction.MEAN)),
                x.linearCrossEntropy(half(2, 9, 8), targets, CrossEntropyOptions.of(Reduction.MEAN), 0),
                x.add(single),
                single.matmul(half(3, 8, 8)),
                Variable.concat(0, List.of(x, single)));
        assertThat(results).allSatisfy(result -> assertThat(dtype(result)).isEqualTo(DType.F32));
    }

    /** A small network with every kind of gradient: passed on, added, of several readers, of broadcast operands. */
    private static Variable network(List<Variable> w, Tensor targets, boolean checkpoint) {
        Variable x = w.get(0).add(w.get(1));
        for (int layer = 0; layer < 2; layer++) {
            x = checkpoint ? x.checkpoint(y -> block(w, y)) : block(w, x);
        }
        return x.rmsNorm(w.get(2), 1e-5)
                .linearCrossEntropy(w.get(6), targets, CrossEntropyOptions.of(Reduction.MEAN), 4);
    }

    private static Variable block(List<Variable> w, Variable x) {
        Variable normed = x.layerNorm(w.get(2), w.get(3), 1e-5);
        Variable heads = normed.linear(w.get(4), w.get(3)).reshape(1, -1, 2, 4);
        Variable mixed = heads.attention(heads, heads.multiply(0.5), AttentionOptions.causal(4));
        Variable sum = x.add(mixed.reshape(-1, 8));
        return sum.add(sum.rmsNorm(w.get(2), 1e-5).linear(w.get(5), null).geluTanh());
    }

    private List<Variable> weights(DType dtype) {
        List<long[]> shapes = List.of(
                new long[] {12, 8},
                new long[] {8},
                new long[] {8},
                new long[] {8},
                new long[] {8, 8},
                new long[] {8, 8},
                new long[] {11, 8});
        List<Variable> weights = new ArrayList<>();
        for (int i = 0; i < shapes.size(); i++) {
            weights.add(Variable.parameter("w" + i, random(i, dtype, shapes.get(i))));
        }
        return weights;
    }

    private Tensor targets() {
        return Tensor.of(device, new int[] {3, 1, 2, 10, 7, 0, 0, 5, 4, 9, 8, 6}, 12);
    }

    @Test
    void gradientsAreNearThoseOfF32() {
        List<Variable> narrow = weights(DType.BF16);
        List<Variable> wide = weights(DType.F32);
        Variable actual = network(narrow, targets(), false);
        Variable expected = network(wide, targets(), false);
        assertThat(actual.value().item()).isCloseTo(expected.value().item(), org.assertj.core.data.Offset.offset(0.02));
        actual.backwardAndRelease();
        expected.backwardAndRelease();
        for (int i = 0; i < narrow.size(); i++) {
            Tensor gradient = Objects.requireNonNull(narrow.get(i).grad());
            assertThat(gradient.dtype()).isEqualTo(DType.BF16);
            double[] given = gradient.toDoubles();
            double[] wanted = Objects.requireNonNull(wide.get(i).grad()).toDoubles();
            double error = 0;
            double size = 0;
            for (int j = 0; j < given.length; j++) {
                error += Math.pow(given[j] - wanted[j], 2);
                size += Math.pow(wanted[j], 2);
            }
            // some ten roundings to 8 bits, each of 2⁻⁹ of an element on average
            assertThat(Math.sqrt(error / size)).as("gradient %d", i).isBetween(1e-5, 0.05);
        }
    }

    @Test
    void recomputedValuesHaveTheBitsOfKeptOnes() {
        List<Variable> kept = weights(DType.BF16);
        List<Variable> recomputed = weights(DType.BF16);
        network(kept, targets(), false).backwardAndRelease();
        network(recomputed, targets(), true).backwardAndRelease();
        for (int i = 0; i < kept.size(); i++) {
            assertThat(Objects.requireNonNull(recomputed.get(i).grad()).toFloats())
                    .as("gradient %d", i)
                    .containsExactly(Objects.requireNonNull(kept.get(i).grad()).toFloats());
        }
    }

    @Test
    void activationsTakeHalfTheBytes() {
        try (Scope _ = Scope.open("forward")) {
            Variable x = Variable.constant(random(0, DType.BF16, 64, 128));
            long before = memory.live(MemoryCategory.ACTIVATIONS);
            Variable _ = x.gelu().add(x).silu();
            assertThat(memory.live(MemoryCategory.ACTIVATIONS) - before).isEqualTo(3 * 64 * 128 * 2);
        }
    }
}
