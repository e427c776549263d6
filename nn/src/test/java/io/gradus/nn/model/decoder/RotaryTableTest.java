package io.gradus.nn.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.RopeLayout;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.nn.model.decoder.RopeScaling.Llama3;
import org.junit.jupiter.api.Test;

class RotaryTableTest {

    @Test
    void tableHoldsCosinesAndSines() {
        RotaryTable table = RotaryTable.of(Device.cpu(), 1000, new Rope(10_000, null, 6));
        assertThat(table.cos().shape()).isEqualTo(Shape.of(1000, 3));
        assertThat(table.sin().shape()).isEqualTo(Shape.of(1000, 3));
        assertThat(table.layout()).isEqualTo(RopeLayout.HALF_SPLIT);
        double[] cos = table.cos().toDoubles();
        double[] sin = table.sin().toDoubles();
        for (int position : new int[] {0, 1, 17, 999}) {
            for (int pair = 0; pair < 3; pair++) {
                double angle = position / Math.pow(10_000, pair / 3.0);
                assertThat(cos[position * 3 + pair]).isCloseTo(Math.cos(angle), within(6e-8));
                assertThat(sin[position * 3 + pair]).isCloseTo(Math.sin(angle), within(6e-8));
            }
        }
    }

    /** Over 2π·100 tokens, a pair of frequency f makes 100·f rotations. */
    private static final Llama3 SCALING = new Llama3(8, 1, 4, 2 * Math.PI * 100);

    @Test
    void lowFrequenciesAreDividedByTheFactor() {
        assertThat(SCALING.scale(0.009)).isEqualTo(0.009 / 8);
        assertThat(SCALING.scale(1e-6)).isEqualTo(1e-6 / 8);
    }

    @Test
    void highFrequenciesAreUnchanged() {
        assertThat(SCALING.scale(0.041)).isEqualTo(0.041);
        assertThat(SCALING.scale(1)).isEqualTo(1);
    }

    @Test
    void mediumFrequenciesAreInterpolatedContinuously() {
        double half = 0.025; // 2.5 turns, half way from 1 to 4
        assertThat(SCALING.scale(half)).isCloseTo((half / 8 + half) / 2, within(1e-12));
        double third = 0.02;
        assertThat(SCALING.scale(third)).isCloseTo(third * (2.0 / 3 / 8 + 1.0 / 3), within(1e-12));
        assertThat(SCALING.scale(0.01 + 1e-12)).isCloseTo(0.01 / 8, within(1e-9));
        assertThat(SCALING.scale(0.04 - 1e-12)).isCloseTo(0.04, within(1e-9));
    }

    @Test
    void llama3ScalingChangesTheAngles() {
        RotaryTable table = RotaryTable.of(Device.cpu(), 50, new Rope(10_000, SCALING, 8));
        double[] sin = table.sin().toDoubles();
        for (int pair = 0; pair < 4; pair++) {
            double frequency = SCALING.scale(Math.pow(10_000, -pair / 4.0));
            assertThat(sin[49 * 4 + pair]).isCloseTo(Math.sin(49 * frequency), within(6e-8));
        }
    }

    @Test
    void elementsAfterTheRotatedOnesAreUnchanged() {
        RotaryTable table = RotaryTable.of(Device.cpu(), 2, new Rope(10_000, null, 2));
        Variable x = Variable.constant(Tensor.of(new float[] {1, 0, 5, 1, 0, 7}, 1, 2, 1, 3));
        Tensor positions = Tensor.of(new int[] {0, 1}, 1, 2);
        assertThat(table.rotate(x, positions).value().toFloats())
                .containsExactly(new float[] {1, 0, 5, (float) Math.cos(1), (float) Math.sin(1), 7}, within(1e-6f));
    }

    @Test
    void factorGivesTheRotatedElements() {
        for (int headDim = 2; headDim <= 300; headDim++) {
            for (int dims = 2; dims <= headDim; dims += 2) {
                assertThat((int) (new Rope(10_000, null, dims).factor(headDim) * headDim))
                        .isEqualTo(dims);
            }
        }
    }

    @Test
    void tableOutlivesItsScope() {
        RotaryTable table;
        try (Scope _ = Scope.open("building")) {
            table = RotaryTable.of(Device.cpu(), 2, new Rope(10_000, null, 2));
        }
        assertThat(table.cos().toFloats()).containsExactly(1, (float) Math.cos(1));
    }
}
