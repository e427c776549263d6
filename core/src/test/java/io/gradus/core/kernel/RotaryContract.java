package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.RopeLayout;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The contract of {@link RotaryKernels} on any device. */
public abstract class RotaryContract extends KernelContract {

    @Test
    void rotaryByAQuarterTurn() {
        Operand x = of(new float[] {1, 2}, 1, 1, 1, 2);
        Operand cos = of(new float[] {0}, 1, 1);
        Operand sin = of(new float[] {1}, 1, 1);
        Operand position = ints(new int[] {0}, 1, 1);
        Operand out = output(false, 1, 1, 1, 2);
        run(side -> side.kernels()
                .rotary()
                .rotate(
                        side.of(x),
                        side.of(cos),
                        side.of(sin),
                        side.of(position),
                        RopeLayout.HALF_SPLIT,
                        false,
                        side.of(out),
                        false));
        assertThat(out.actual()).containsExactly(-2, 1);
    }

    @ParameterizedTest
    @EnumSource
    void rotationAndItsInverseMatchReference(RopeLayout layout) {
        for (Shape shape : List.of(
                Shape.of(1, 1, 1, 2),
                Shape.of(0, 3, 2, 4),
                Shape.of(2, 0, 2, 4),
                Shape.of(1, 3, 2, 0),
                Shape.of(2, 5, 3, 6),
                Shape.of(2, 31, 3, 64),
                Shape.of(3, 127, 5, 34))) {
            for (int flags = 0; flags < 4; flags++) {
                boolean inverse = (flags & 1) != 0;
                boolean accumulate = (flags & 2) != 0;
                Operand x = random(shape.toArray());
                Operand cos = range(-1, 1, 131, shape.get(3) / 2);
                Operand sin = range(-1, 1, 131, shape.get(3) / 2);
                Operand positions = ids(131, shape.get(0), shape.get(1));
                Operand out = output(accumulate, shape);
                run(side -> side.kernels()
                        .rotary()
                        .rotate(
                                side.of(x),
                                side.of(cos),
                                side.of(sin),
                                side.of(positions),
                                layout,
                                inverse,
                                side.of(out),
                                accumulate));
                out.assertClose(2 * ULP, 4);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void nanStaysInItsPair(RopeLayout layout) {
        float[] elements = new float[16];
        elements[9] = Float.NaN;
        elements[3] = Float.POSITIVE_INFINITY;
        Operand x = of(elements, 1, 1, 2, 8);
        Operand cos = range(0.1, 1, 3, 4);
        Operand sin = range(0.1, 1, 3, 4);
        Operand positions = ints(new int[] {2}, 1, 1);
        Operand out = output(false, 1, 1, 2, 8);
        run(side -> side.kernels()
                .rotary()
                .rotate(
                        side.of(x),
                        side.of(cos),
                        side.of(sin),
                        side.of(positions),
                        layout,
                        false,
                        side.of(out),
                        false));
        out.assertExact();
    }

    @Test
    void positionOutsideTheTableIsRejected() {
        for (int bad : new int[] {-1, 7, 1000}) {
            int[] positions = new int[2 * 50];
            positions[73] = bad;
            refuses(
                    IllegalArgumentException.class,
                    () -> rotate(zeros(2, 50, 3, 8), zeros(7, 4), Tensor.of(device(), positions, 2, 50)),
                    "rotary",
                    Integer.toString(bad),
                    "7");
        }
    }

    @Test
    void rotaryRejectsWrongShapesDtypesAndDevices() {
        refuses(
                ShapeException.class,
                () -> rotate(zeros(2, 5, 3, 8), zeros(7, 8), zeroIds(2, 5)),
                "rotary",
                "[2, 5, 3, 8]",
                "[7, 8]");
        refuses(ShapeException.class, () -> rotate(zeros(5, 3, 8), zeros(7, 4), zeroIds(5, 3)), "rotary", "[5, 3, 8]");
        refuses(
                ShapeException.class,
                () -> rotate(zeros(2, 5, 3, 8), zeros(7, 4), zeroIds(5)),
                "rotary",
                "[5]",
                "[2, 5]");
        refuses(
                IllegalArgumentException.class,
                () -> rotate(zeros(2, 5, 3, 8), zeros(7, 4), zeros(2, 5)),
                "rotary",
                "I32");
        refuses(
                IllegalArgumentException.class,
                () -> rotate(zeros(2, 5, 3, 8), elsewhere(7, 4), zeroIds(2, 5)),
                "rotary",
                "reference");
    }

    private void rotate(Tensor x, Tensor table, Tensor positions) {
        device().kernels()
                .rotary()
                .rotate(
                        x,
                        table,
                        table,
                        positions,
                        RopeLayout.HALF_SPLIT,
                        false,
                        zeros(x.shape().toArray()),
                        false);
    }
}
