package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link ScanKernels} on any device. */
public abstract class ScanContract extends KernelContract {
    private static final List<Shape> SHAPES = List.of(
            Shape.of(1),
            Shape.of(7),
            Shape.of(5003),
            Shape.of(0, 5),
            Shape.of(5, 0),
            Shape.of(3, 1),
            Shape.of(2, 3, 17),
            Shape.of(7, 5, 3),
            Shape.of(331, 37),
            Shape.of(3, 5003));

    @Test
    void cumsumOfSixNumbers() {
        Operand x = of(new float[] {1, 2, 3, 10, 20, 30}, 2, 3);
        Operand rows = output(false, 2, 3);
        Operand columns = output(false, 2, 3);
        Operand reversed = output(false, 2, 3);
        run(side -> {
            ScanKernels kernels = side.kernels().scan();
            kernels.cumsum(side.of(x), 1, false, side.of(rows), false);
            kernels.cumsum(side.of(x), 0, false, side.of(columns), false);
            kernels.cumsum(side.of(x), -1, true, side.of(reversed), false);
        });
        assertThat(rows.actual()).containsExactly(1, 3, 6, 10, 30, 60);
        assertThat(columns.actual()).containsExactly(1, 2, 3, 11, 22, 33);
        assertThat(reversed.actual()).containsExactly(6, 5, 3, 60, 50, 30);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void cumsumAlongEveryAxis(boolean accumulate) {
        for (Shape shape : SHAPES) {
            for (int axis = 0; axis < shape.rank(); axis++) {
                int along = axis;
                for (boolean reverse : new boolean[] {false, true}) {
                    Operand x = random(shape.toArray());
                    Operand out = output(accumulate, shape);
                    run(side -> side.kernels().scan().cumsum(side.of(x), along, reverse, side.of(out), accumulate));
                    out.assertClose(2 * ULP, 2);
                }
            }
        }
    }

    @Test
    void cumsumAfterNanIsNan() {
        Operand x = of(new float[] {1, Float.NaN, 3, Float.POSITIVE_INFINITY}, 4);
        Operand out = output(false, 4);
        run(side -> side.kernels().scan().cumsum(side.of(x), 0, false, side.of(out), false));
        assertThat(out.actual()).containsExactly(1, Float.NaN, Float.NaN, Float.NaN);
    }

    @Test
    void topkOfFourNumbers() {
        Operand x = of(new float[] {1, 7, 3, 5}, 4);
        Operand values = output(false, 2);
        Operand indices = intOutput(Shape.of(2));
        run(side -> side.kernels().scan().topk(side.of(x), 0, side.of(values), side.of(indices)));
        assertThat(values.actual()).containsExactly(7, 5);
        assertThat(indices.actual()).containsExactly(1, 3);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 40})
    void topkAlongEveryAxis(int most) {
        for (Shape shape : SHAPES) {
            for (int axis = 0; axis < shape.rank(); axis++) {
                int along = axis;
                Shape result = shape.with(axis, Math.min(most, shape.get(axis)));
                Operand x = random(shape.toArray());
                Operand values = output(false, result);
                Operand indices = intOutput(result);
                run(side -> side.kernels().scan().topk(side.of(x), along, side.of(values), side.of(indices)));
                values.assertExact();
                indices.assertExact();
            }
        }
    }

    @Test
    void topkOrdersTiesByIndexAndNanFirst() {
        float nan = Float.NaN;
        Operand x = of(new float[] {2, -0f, 0, 2, Float.NEGATIVE_INFINITY, nan, Float.POSITIVE_INFINITY, 2, nan}, 9);
        Operand values = output(false, 9);
        Operand indices = intOutput(Shape.of(9));
        run(side -> side.kernels().scan().topk(side.of(x), 0, side.of(values), side.of(indices)));
        assertThat(values.actual())
                .containsExactly(nan, nan, Float.POSITIVE_INFINITY, 2, 2, 2, -0f, 0, Float.NEGATIVE_INFINITY);
        assertThat(indices.actual()).containsExactly(5, 8, 6, 0, 3, 7, 1, 2, 4);
    }

    @Test
    void scanRejectsWrongShapesAxesAndDtypes() {
        ScanKernels kernels = device().kernels().scan();
        refuses(ShapeException.class, () -> kernels.cumsum(zeros(2, 3), 0, false, zeros(3), false), "cumsum", "[3]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.cumsum(zeros(2, 3), 2, false, zeros(2, 3), false),
                "axis 2",
                "[2, 3]");
        refuses(
                ShapeException.class,
                () -> kernels.topk(zeros(2, 3), 1, zeros(2, 4), zeroIds(2, 4)),
                "topk",
                "axis 1",
                "[2, 4]",
                "smaller k");
        refuses(ShapeException.class, () -> kernels.topk(zeros(2, 3), 1, zeros(2, 2), zeroIds(2, 1)), "topk", "[2, 1]");
        refuses(IllegalArgumentException.class, () -> kernels.topk(zeros(3), 0, zeros(1), zeros(1)), "topk", "I32");
    }
}
