package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.Philox;
import io.gradus.core.ShapeException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link RandomKernels} on any device. */
public abstract class RandomContract extends KernelContract {
    private static final Philox.Key KEY = new Philox.Key(0x1234_5678_9ABC_DEFL, 7, 11);
    private static final long[][] SHAPES = {{}, {0}, {1}, {7}, {2, 5}, {5003}, {3, 33_331}};

    @Test
    void uniformNumbersOfTheZeroKey() {
        Operand out = output(false, 4);
        run(side -> side.kernels().random().uniform(side.of(out), 0, 1, new Philox.Key(0, 0, 0)));
        // the upper 24 bits of the published words 6627e8d5 e169c58d bc57ac4c 9b00dbd8
        assertThat(out.actual()).containsExactly(0x6627e8p-24f, 0xe169c5p-24f, 0xbc57acp-24f, 0x9b00dbp-24f);
    }

    @Test
    void uniformIsBitIdenticalOnAllDevices() {
        for (long[] shape : SHAPES) {
            Operand out = output(false, shape);
            run(side -> side.kernels().random().uniform(side.of(out), 0, 1, KEY));
            out.assertExact();
        }
    }

    @Test
    void uniformCoversItsRange() {
        Operand out = output(false, 5003);
        run(side -> side.kernels().random().uniform(side.of(out), -0.3, 0.7, KEY));
        out.assertClose(2 * ULP, 1);
    }

    @Test
    void normalMatchesReference() {
        for (long[] shape : SHAPES) {
            Operand out = output(false, shape);
            run(side -> side.kernels().random().normal(side.of(out), 1, 0.5, KEY));
            out.assertClose(8 * ULP, 1);
        }
    }

    /** The bounds are five standard errors of 100,000 numbers. */
    @Test
    void uniformAndNormalHaveExpectedMoments() {
        Operand uniform = output(false, 100_000);
        Operand normal = output(false, 100_000);
        run(side -> {
            side.kernels().random().uniform(side.of(uniform), 0, 1, KEY);
            side.kernels().random().normal(side.of(normal), 0, 1, KEY);
        });
        assertThat(moment(uniform, 1)).isCloseTo(0.5, within(0.005));
        assertThat(moment(uniform, 2)).isCloseTo(1 / 3.0, within(0.005));
        assertThat(moment(normal, 1)).isCloseTo(0, within(0.016));
        assertThat(moment(normal, 2)).isCloseTo(1, within(0.023));
        assertThat(moment(normal, 4)).isCloseTo(3, within(0.16));
    }

    private static double moment(Operand twin, int order) {
        double sum = 0;
        for (float value : twin.actual()) {
            sum += Math.pow(value, order);
        }
        return sum / twin.shape().size();
    }

    @Test
    void numbersDifferBySeedStepAndPlace() {
        float[] numbers = draw(KEY);
        assertThat(draw(KEY)).isEqualTo(numbers);
        assertThat(draw(new Philox.Key(KEY.seed() + 1, KEY.step(), KEY.place())))
                .isNotEqualTo(numbers);
        assertThat(draw(new Philox.Key(KEY.seed(), KEY.step() + 1, KEY.place())))
                .isNotEqualTo(numbers);
        assertThat(draw(new Philox.Key(KEY.seed(), KEY.step(), KEY.place() + 1)))
                .isNotEqualTo(numbers);
    }

    private float[] draw(Philox.Key key) {
        Operand out = output(false, 10);
        run(side -> side.kernels().random().uniform(side.of(out), 0, 1, key));
        return out.actual();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.1, 0.5, 0.9})
    void dropoutMatchesReference(double p) {
        for (long[] shape : SHAPES) {
            for (boolean accumulate : new boolean[] {false, true}) {
                Operand x = range(1, 2, shape);
                Operand out = output(accumulate, shape);
                run(side -> side.kernels().random().dropout(side.of(x), p, KEY, side.of(out), accumulate));
                out.assertClose(2 * ULP, accumulate ? 20 : 0);
                if (!accumulate && out.shape().size() > 5000) {
                    float[] actual = out.actual();
                    double dropped = 0;
                    for (float value : actual) {
                        dropped += value == 0 ? 1.0 / actual.length : 0;
                    }
                    assertThat(dropped).isCloseTo(p, within(0.02));
                }
            }
        }
    }

    @Test
    void droppedElementsAreZeroEvenIfNan() {
        float[] elements = new float[5003];
        Arrays.fill(elements, Float.NaN);
        Operand x = of(elements, 5003);
        Operand out = output(false, 5003);
        run(side -> side.kernels().random().dropout(side.of(x), 0.5, KEY, side.of(out), false));
        out.assertExact();
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1, 1.5, Double.NaN})
    void dropoutRejectsInvalidProbability(double p) {
        refuses(
                IllegalArgumentException.class,
                () -> device().kernels().random().dropout(zeros(2), p, KEY, zeros(2), false),
                "dropout",
                Double.toString(p));
    }

    @Test
    void randomRejectsWrongShapesDtypesAndDevices() {
        RandomKernels kernels = device().kernels().random();
        refuses(
                ShapeException.class,
                () -> kernels.dropout(zeros(2), 0.5, KEY, zeros(3), false),
                "dropout",
                "[2]",
                "[3]");
        refuses(IllegalArgumentException.class, () -> kernels.uniform(zeroIds(2), 0, 1, KEY), "uniform", "I32");
        refuses(IllegalArgumentException.class, () -> kernels.normal(doubles(2), 0, 1, KEY), "normal", "F64");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.dropout(zeros(2), 0.5, KEY, elsewhere(2), false),
                "dropout",
                "reference");
    }
}
