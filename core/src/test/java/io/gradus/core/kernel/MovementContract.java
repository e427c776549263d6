package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link MovementKernels} on any device. */
public abstract class MovementContract extends KernelContract {

    @Test
    void permuteSliceAndGatherOfSixNumbers() {
        Operand x = of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Operand transposed = output(false, 3, 2);
        Operand column = output(false, 2, 1);
        Operand index = ints(new int[] {2, 0}, 2, 1);
        Operand gathered = output(false, 2, 1);
        run(side -> {
            MovementKernels kernels = side.kernels().movement();
            kernels.permute(side.of(x), new int[] {1, 0}, side.of(transposed), false);
            kernels.slice(side.of(x), 1, 1, side.of(column), false);
            kernels.gather(side.of(x), 1, side.of(index), side.of(gathered));
        });
        assertThat(transposed.actual()).containsExactly(1, 4, 2, 5, 3, 6);
        assertThat(column.actual()).containsExactly(2, 5);
        assertThat(gathered.actual()).containsExactly(3, 4);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void permuteReordersAxes(boolean accumulate) {
        permute(accumulate, Shape.of());
        permute(accumulate, Shape.of(7), 0);
        permute(accumulate, Shape.of(131, 61), 1, 0);
        permute(accumulate, Shape.of(131, 61), 0, 1);
        permute(accumulate, Shape.of(0, 5), 1, 0);
        permute(accumulate, Shape.of(1, 5003), 1, 0);
        permute(accumulate, Shape.of(5, 33, 7), 2, 0, 1);
        permute(accumulate, Shape.of(5, 33, 7), 1, 0, 2);
        permute(accumulate, Shape.of(5, 33, 67), 0, 2, 1);
        permute(accumulate, Shape.of(2, 31, 3, 16), 0, 2, 1, 3);
        permute(accumulate, Shape.of(2, 3, 5, 7), 3, 2, 1, 0);
        permute(accumulate, Shape.of(2, 3, 1, 5, 7), 3, 0, 4, 2, 1);
    }

    private void permute(boolean accumulate, Shape shape, int... order) {
        Operand x = random(shape.toArray());
        Operand out = output(accumulate, MovementKernels.permuted(zeros(shape.toArray()), order));
        run(side -> side.kernels().movement().permute(side.of(x), order, side.of(out), accumulate));
        assertMoved(out, accumulate);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sliceAndPlaceAlongEveryAxis(boolean accumulate) {
        for (Shape whole : List.of(Shape.of(17), Shape.of(37, 331), Shape.of(5, 7, 13), Shape.of(3, 1, 5, 2))) {
            for (int axis = -1; axis < whole.rank(); axis++) {
                long length = whole.get(axis);
                part(accumulate, whole, axis, 0, length);
                part(accumulate, whole, axis, length / 2, length - length / 2);
                part(accumulate, whole, axis, length / 3, length / 3);
                part(accumulate, whole, axis, length, 0);
            }
        }
        part(accumulate, Shape.of(0, 5), 1, 2, 2);
        part(accumulate, Shape.of(5003, 3), 0, 1, 5001);
    }

    private void part(boolean accumulate, Shape whole, int axis, long start, long length) {
        Shape small = whole.with(axis, length);
        Operand x = random(whole.toArray());
        Operand taken = output(accumulate, small);
        run(side -> side.kernels().movement().slice(side.of(x), axis, start, side.of(taken), accumulate));
        assertMoved(taken, accumulate);

        Operand part = random(small.toArray());
        Operand placed = output(accumulate, whole); // NaN around the part must remain when not accumulating
        run(side -> side.kernels().movement().place(side.of(part), axis, start, side.of(placed), accumulate));
        assertMoved(placed, accumulate);
    }

    @Test
    void gatherAlongEveryAxis() {
        gather(Shape.of(17), 0, 40);
        gather(Shape.of(5003), -1, 5003);
        gather(Shape.of(37, 61), 0, 5);
        gather(Shape.of(37, 61), 1, 1);
        gather(Shape.of(5, 7, 13), 1, 9);
        gather(Shape.of(5, 7, 13), -1, 0);
        gather(Shape.of(3, 1, 5, 2), -2, 4);
    }

    private void gather(Shape shape, int axis, long length) {
        Operand x = random(shape.toArray());
        Shape chosen = shape.with(axis, length);
        Operand index = ids((int) shape.get(axis), chosen.toArray());
        Operand out = output(false, chosen);
        run(side -> side.kernels().movement().gather(side.of(x), axis, side.of(index), side.of(out)));
        out.assertExact();
        for (boolean accumulate : new boolean[] {false, true}) {
            Operand dy = random(chosen.toArray());
            Operand dx = output(accumulate, shape);
            run(side -> side.kernels()
                    .movement()
                    .gatherBackward(side.of(index), axis, side.of(dy), side.of(dx), accumulate));
            dx.assertClose(8 * ULP, 8);
        }
    }

    /** Along other axes the index may be shorter than the input. */
    @Test
    void gatherIndexMayBeShorterAlongOtherAxes() {
        Operand x = random(5, 7, 13);
        Operand index = ids(7, 4, 3, 11);
        Operand out = output(false, 4, 3, 11);
        Operand dy = random(4, 3, 11);
        Operand dx = output(false, 5, 7, 13);
        run(side -> {
            side.kernels().movement().gather(side.of(x), 1, side.of(index), side.of(out));
            side.kernels().movement().gatherBackward(side.of(index), 1, side.of(dy), side.of(dx), false);
        });
        out.assertExact();
        dx.assertClose(4 * ULP, 4);
    }

    private static void assertMoved(Operand out, boolean accumulate) {
        if (accumulate) {
            out.assertClose(ULP, 0);
        } else {
            out.assertExact();
        }
    }

    @Test
    void permuteKeepsNanAndInfinity() {
        Operand x = of(new float[] {Float.NaN, 1, Float.NEGATIVE_INFINITY, 2, 3, Float.POSITIVE_INFINITY}, 2, 3);
        Operand out = output(false, 3, 2);
        run(side -> side.kernels().movement().permute(side.of(x), new int[] {1, 0}, side.of(out), false));
        out.assertExact();
    }

    @Test
    void gatherRejectsIndexOutsideTheAxis() {
        MovementKernels kernels = device().kernels().movement();
        for (int bad : new int[] {-1, 7, 10_000}) {
            int[] index = new int[500 * 3];
            index[1111] = bad;
            Tensor indices = Tensor.of(device(), index, 500, 3);
            refuses(
                    IllegalArgumentException.class,
                    () -> kernels.gather(zeros(500, 7), 1, indices, zeros(500, 3)),
                    "gather",
                    Integer.toString(bad));
            refuses(
                    IllegalArgumentException.class,
                    () -> kernels.gatherBackward(indices, 1, zeros(500, 3), zeros(500, 7), false),
                    "gather",
                    Integer.toString(bad));
        }
    }

    @Test
    void movementRejectsWrongShapesDtypesAndDevices() {
        MovementKernels kernels = device().kernels().movement();
        refuses(
                IllegalArgumentException.class,
                () -> kernels.permute(zeros(2, 3), new int[] {0, 0}, zeros(2, 3), false),
                "permute",
                "[0, 0]",
                "[2, 3]");
        refuses(
                ShapeException.class,
                () -> kernels.permute(zeros(2, 3), new int[] {1, 0}, zeros(2, 3), false),
                "permute",
                "[3, 2]");
        refuses(
                ShapeException.class,
                () -> kernels.slice(zeros(5, 3), 0, 4, zeros(2, 3), false),
                "slice",
                "[5, 3]",
                "4");
        refuses(ShapeException.class, () -> kernels.slice(zeros(5, 3), 0, -1, zeros(2, 3), false), "slice", "-1");
        refuses(
                ShapeException.class,
                () -> kernels.place(zeros(2, 4), 0, 0, zeros(5, 3), false),
                "place",
                "[2, 4]",
                "[5, 3]");
        refuses(IllegalArgumentException.class, () -> kernels.slice(zeros(5), 1, 0, zeros(5), false), "axis 1", "[5]");
        refuses(
                ShapeException.class,
                () -> kernels.gather(zeros(5, 3), 1, zeroIds(6, 3), zeros(6, 3)),
                "gather",
                "[5, 3]",
                "[6, 3]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.gather(zeros(5, 3), 1, zeros(5, 3), zeros(5, 3)),
                "gather",
                "I32");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.place(zeros(5), 0, 0, elsewhere(5), false),
                "place",
                "reference");
    }
}
