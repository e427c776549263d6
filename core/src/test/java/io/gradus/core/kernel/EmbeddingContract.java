package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link EmbeddingKernels} on any device. */
public abstract class EmbeddingContract extends KernelContract {
    private static final long[][] IDS = {{}, {0}, {1}, {7, 5}, {2, 3, 4}, {5003}};

    @Test
    void embeddingOfTwoIds() {
        Operand table = of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
        Operand ids = ints(new int[] {2, 0}, 2);
        Operand out = output(false, 2, 2);
        run(side -> side.kernels().embedding().gather(side.of(table), side.of(ids), side.of(out)));
        assertThat(out.actual()).containsExactly(5, 6, 1, 2);
    }

    @Test
    void embeddingOfIdsOfAnyShape() {
        for (long[] shape : IDS) {
            for (int length : new int[] {1, 7, 331}) {
                Operand weight = random(53, length);
                Operand ids = ids(53, shape);
                Operand out = output(false, Shape.of(shape).append(length));
                run(side -> side.kernels().embedding().gather(side.of(weight), side.of(ids), side.of(out)));
                out.assertExact();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void embeddingConverts16BitWeights(DType half) {
        for (int length : new int[] {1, 7, 331}) {
            Tensor weight = random(53, length).on(1).to(half);
            Tensor ids = ids(53, 5, 3).on(1);
            Tensor expected = zeros(5, 3, length);
            Tensor actual = zeros(5, 3, length);
            EmbeddingKernels kernels = device().kernels().embedding();
            kernels.gather(weight.to(DType.F32), ids, expected);
            kernels.gather(weight, ids, actual);
            assertThat(actual.toFloats()).isEqualTo(expected.toFloats());
        }
    }

    @Test
    void embeddingKeepsNanAndInfinity() {
        Operand weight = of(new float[] {Float.NaN, 1, Float.NEGATIVE_INFINITY, 2}, 2, 2);
        Operand ids = ints(new int[] {1, 0, 1}, 3);
        Operand out = output(false, 3, 2);
        run(side -> side.kernels().embedding().gather(side.of(weight), side.of(ids), side.of(out)));
        out.assertExact();
    }

    /** 5,003 ids of 53 rows: about a hundred additions per row. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void embeddingGradientAddsEqualIds(boolean accumulate) {
        for (long[] shape : IDS) {
            for (int length : new int[] {1, 7, 331}) {
                Operand ids = ids(53, shape);
                Operand dy = random(Shape.of(shape).append(length).toArray());
                Operand dweight = output(accumulate, 53, length);
                run(side ->
                        side.kernels().embedding().scatterAdd(side.of(ids), side.of(dy), side.of(dweight), accumulate));
                dweight.assertClose(16 * ULP, 100);
            }
        }
    }

    /** Many rows and few ids: unused rows are zero or unchanged. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void embeddingGradientOfUnusedRowsIsZero(boolean accumulate) {
        Operand ids = ints(new int[] {5006, 3, 5006, 0}, 4);
        Operand dy = random(4, 3);
        Operand dweight = output(accumulate, 5007, 3);
        run(side -> side.kernels().embedding().scatterAdd(side.of(ids), side.of(dy), side.of(dweight), accumulate));
        dweight.assertClose(2 * ULP, 4);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 53, 50_000})
    void embeddingRejectsIdOutsideTheTable(int bad) {
        int[] ids = new int[1000];
        ids[777] = bad;
        EmbeddingKernels kernels = device().kernels().embedding();
        refuses(
                IllegalArgumentException.class,
                () -> kernels.gather(zeros(53, 3), Tensor.of(device(), ids, 1000), zeros(1000, 3)),
                "embedding",
                "id " + bad,
                "53");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.scatterAdd(Tensor.of(device(), ids, 1000), zeros(1000, 3), zeros(53, 3), true),
                "embedding",
                "id " + bad,
                "53");
    }

    @Test
    void embeddingRejectsWrongShapesDtypesAndDevices() {
        EmbeddingKernels kernels = device().kernels().embedding();
        refuses(ShapeException.class, () -> kernels.gather(zeros(5), zeroIds(2), zeros(2)), "embedding", "[5]", "[2]");
        refuses(
                ShapeException.class,
                () -> kernels.gather(zeros(5, 3), zeroIds(2), zeros(3, 2)),
                "embedding",
                "[3, 2]",
                "[2, 3]");
        refuses(
                ShapeException.class,
                () -> kernels.scatterAdd(zeroIds(2), zeros(2, 4), zeros(5, 3), false),
                "embedding",
                "[2, 4]",
                "[2, 3]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.gather(zeros(5, 3), zeros(2), zeros(2, 3)),
                "embedding",
                "I32");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.gather(zeros(5, 3), zeroIds(2), elsewhere(2, 3)),
                "embedding",
                "reference");
    }
}
