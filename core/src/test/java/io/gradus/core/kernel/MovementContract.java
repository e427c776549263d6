package io.gradus.core.kernel;

import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link MovementKernels} promise, on any device. */
public abstract class MovementContract extends KernelContract {

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void axesAreReordered(boolean accumulate) {
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
        Twin x = random(shape.toArray());
        Twin out = output(accumulate, MovementKernels.permuted(zeros(shape.toArray()), order));
        run(side -> side.kernels().movement().permute(side.of(x), order, side.of(out), accumulate));
        assertMoved(out, accumulate);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPartIsTakenAndPutBackAlongAnyAxis(boolean accumulate) {
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
        Twin x = random(whole.toArray());
        Twin taken = output(accumulate, small);
        run(side -> side.kernels().movement().slice(side.of(x), axis, start, side.of(taken), accumulate));
        assertMoved(taken, accumulate);

        Twin part = random(small.toArray());
        Twin placed = output(accumulate, whole); // NaN around the part must stay when not accumulating
        run(side -> side.kernels().movement().place(side.of(part), axis, start, side.of(placed), accumulate));
        assertMoved(placed, accumulate);
    }

    @Test
    void elementsAreGatheredByIndexAlongAnyAxis() {
        gather(Shape.of(17), 0, 40);
        gather(Shape.of(5003), -1, 5003);
        gather(Shape.of(37, 61), 0, 5);
        gather(Shape.of(37, 61), 1, 1);
        gather(Shape.of(5, 7, 13), 1, 9);
        gather(Shape.of(5, 7, 13), -1, 0);
        gather(Shape.of(3, 1, 5, 2), -2, 4);
    }

    private void gather(Shape shape, int axis, long length) {
        Twin x = random(shape.toArray());
        Shape chosen = shape.with(axis, length);
        Twin index = ids((int) shape.get(axis), chosen.toArray());
        Twin out = output(false, chosen);
        run(side -> side.kernels().movement().gather(side.of(x), axis, side.of(index), side.of(out)));
        out.assertExact();
        for (boolean accumulate : new boolean[] {false, true}) {
            Twin dy = random(chosen.toArray());
            Twin dx = output(accumulate, shape);
            run(side -> side.kernels()
                    .movement()
                    .gatherBackward(side.of(index), axis, side.of(dy), side.of(dx), accumulate));
            dx.assertClose(8 * ULP, 8);
        }
    }

    /** Off the axis the index may be shorter than what it chooses from. */
    @Test
    void anIndexMayCoverAPartOfTheOtherAxes() {
        Twin x = random(5, 7, 13);
        Twin index = ids(7, 4, 3, 11);
        Twin out = output(false, 4, 3, 11);
        Twin dy = random(4, 3, 11);
        Twin dx = output(false, 5, 7, 13);
        run(side -> {
            side.kernels().movement().gather(side.of(x), 1, side.of(index), side.of(out));
            side.kernels().movement().gatherBackward(side.of(index), 1, side.of(dy), side.of(dx), false);
        });
        out.assertExact();
        dx.assertClose(4 * ULP, 4);
    }

    private static void assertMoved(Twin out, boolean accumulate) {
        if (accumulate) {
            out.assertClose(ULP, 0);
        } else {
            out.assertExact();
        }
    }

    @Test
    void nanAndInfinityAreMovedAsTheyAre() {
        Twin x = of(new float[] {Float.NaN, 1, Float.NEGATIVE_INFINITY, 2, 3, Float.POSITIVE_INFINITY}, 2, 3);
        Twin out = output(false, 3, 2);
        run(side -> side.kernels().movement().permute(side.of(x), new int[] {1, 0}, side.of(out), false));
        out.assertExact();
    }

    @Test
    void anIndexOutsideTheAxisIsRefused() {
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
    void shapesDtypesAndDevicesThatDoNotFitAreRefused() {
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
