package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.ShapeException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The contract of {@link LstmKernels} on any device. */
public abstract class LstmContract extends KernelContract {
    /** Rows and units: none, one, fewer than a vector, a vector and one more, many. */
    private static final List<long[]> SIZES = List.of(
            new long[] {0, 5},
            new long[] {3, 0},
            new long[] {1, 1},
            new long[] {2, 7},
            new long[] {3, 17},
            new long[] {5, 64},
            new long[] {4, 401},
            new long[] {70, 99});

    /** The example of a cell by hand: all sums are 0, so the gates are ½ and the candidate is 0. */
    @Test
    void openGatesHalveTheCell() {
        Operand gates = state(0, 0, 1, 4);
        Operand cell = of(new float[] {2}, 1, 1);
        Operand next = output(false, 1, 1);
        Operand hidden = output(false, 1, 1);
        run(side -> side.kernels().lstm().lstmCell(side.of(gates), side.of(cell), side.of(next), side.of(hidden)));
        assertThat(gates.actual()).containsExactly(0.5f, 0.5f, 0, 0.5f);
        assertThat(next.actual()).containsExactly(1);
        assertThat(hidden.actual()[0]).isCloseTo((float) (0.5 * Math.tanh(1)), within(1e-7f));
    }

    @Test
    void cellMatchesReference() {
        for (long[] size : SIZES) {
            Operand gates = state(-6, 6, size[0], 4 * size[1]);
            Operand cell = random(size);
            Operand next = output(false, size);
            Operand hidden = output(false, size);
            run(side -> side.kernels().lstm().lstmCell(side.of(gates), side.of(cell), side.of(next), side.of(hidden)));
            gates.assertClose(6 * ULP, 0.1);
            next.assertClose(12 * ULP, 1);
            hidden.assertClose(16 * ULP, 1);
        }
    }

    @Test
    void gradientsMatchReference() {
        for (long[] size : SIZES) {
            Operand gates = range(0.01, 0.99, size[0], 4 * size[1]);
            Operand cell = random(size);
            Operand next = random(size);
            Operand outer = random(size);
            Operand dcell = state(-2, 2, size);
            Operand dgates = output(false, size[0], 4 * size[1]);
            run(side -> side.kernels()
                    .lstm()
                    .lstmCellBackward(
                            side.of(gates),
                            side.of(cell),
                            side.of(next),
                            side.of(outer),
                            side.of(dcell),
                            side.of(dgates)));
            dcell.assertClose(12 * ULP, 1);
            dgates.assertClose(12 * ULP, 1);
        }
    }

    @Test
    void sumsFarFromZeroSaturateAndNanStaysInItsUnit() {
        float[] sums = new float[4 * 20];
        Arrays.fill(sums, 300);
        Arrays.fill(sums, 20, 40, -300);
        sums[43] = Float.NaN;
        Operand gates = inOut(sums, 1, 80);
        Operand cell = random(1, 20);
        Operand next = output(false, 1, 20);
        Operand hidden = output(false, 1, 20);
        run(side -> side.kernels().lstm().lstmCell(side.of(gates), side.of(cell), side.of(next), side.of(hidden)));
        next.assertClose(4 * ULP, 1);
        hidden.assertClose(8 * ULP, 1);
        assertThat(next.actual()[3]).isNaN();
        assertThat(next.actual()[4]).isEqualTo(1);
    }

    @Test
    void lstmRejectsWrongShapesDtypesAndDevices() {
        LstmKernels lstm = device().kernels().lstm();
        refuses(
                ShapeException.class,
                () -> lstm.lstmCell(zeros(2, 12), zeros(2, 4), zeros(2, 4), zeros(2, 4)),
                "lstm",
                "[2, 12]",
                "[2, 4]");
        refuses(
                ShapeException.class,
                () -> lstm.lstmCell(zeros(2, 16), zeros(2, 4), zeros(2, 4), zeros(2, 5)),
                "lstm",
                "[2, 5]");
        refuses(
                ShapeException.class,
                () -> lstm.lstmCellBackward(
                        zeros(2, 16), zeros(2, 4), zeros(2, 4), zeros(2, 4), zeros(2, 4), zeros(2, 4)),
                "lstm",
                "[2, 4]");
        refuses(
                IllegalArgumentException.class,
                () -> lstm.lstmCell(doubles(2, 16), zeros(2, 4), zeros(2, 4), zeros(2, 4)),
                "lstm",
                "F64");
        refuses(
                IllegalArgumentException.class,
                () -> lstm.lstmCell(elsewhere(2, 16), zeros(2, 4), zeros(2, 4), zeros(2, 4)),
                "lstm",
                "reference");
    }
}
