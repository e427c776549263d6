package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Schedules against Hugging Face transformers, and phases. */
class ScheduleTest {

    static List<Named<JsonNode>> cases() throws IOException {
        List<Named<JsonNode>> cases = new ArrayList<>();
        for (JsonNode node : PytorchFixture.schedules()) {
            cases.add(Named.of(node.get("name").textValue() + " " + node.get("parameters"), node));
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void factorsMatchTransformers(JsonNode expected) {
        Schedule schedule = schedule(expected.get("name").textValue(), expected.get("parameters"));
        JsonNode factors = expected.get("factors");
        assertThat(factors.size()).isEqualTo(20);
        for (int step = 0; step < factors.size(); step++) {
            assertThat(schedule.factor(step))
                    .as("step %d", step)
                    .isCloseTo(factors.get(step).doubleValue(), within(1e-15));
        }
    }

    private static Schedule schedule(String name, JsonNode parameters) {
        long warmup = parameters.path("num_warmup_steps").longValue();
        long total = parameters.path("num_training_steps").longValue();
        return switch (name) {
            case "constant" -> Schedule.constant();
            case "constant_with_warmup" -> Schedule.warmup(warmup);
            case "linear" -> Schedule.linear(warmup, total);
            case "cosine" -> Schedule.cosine(warmup, total, 0);
            case "cosine_with_min_lr" ->
                Schedule.cosine(warmup, total, parameters.get("min_lr_rate").doubleValue());
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** 1,000 steps with 100 warmup steps, a peak of 2e-5 and a minimum of 1e-6. */
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "50, 1e-5",
        "100, 2e-5",
        "325, 1.721751442127217e-5", // minimum + (peak − minimum)·½(1 + cos(π/4))
        "550, 1.05e-5",
        "775, 3.782485578727830e-6",
        "1000, 1e-6",
        "5000, 1e-6"
    })
    void warmupAndCosineHaveTheirPublishedValues(long step, double rate) {
        assertThat(2e-5 * Schedule.cosine(100, 1000, 1e-6 / 2e-5).factor(step)).isCloseTo(rate, within(1e-19));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 2e-7", "50, 1e-5", "99, 1.98e-5", "100, 2e-5", "550, 2e-5", "1000, 2e-5"})
    void warmupAndConstantHaveTheExpectedFactors(long step, double rate) {
        assertThat(2e-5 * Schedule.warmup(100).factor(step)).isCloseTo(rate, within(1e-19));
    }

    @Test
    void slantedTriangularMatchesEquation3() {
        for (double ratio : new double[] {32, 1, 4.5}) {
            for (double cutFraction : new double[] {0.1, 0.25, 0.5}) {
                long total = 1000;
                Schedule schedule = Schedule.slantedTriangular(total, cutFraction, ratio);
                long cut = (long) Math.floor(total * cutFraction);
                for (long t = 0; t <= total; t++) {
                    double p = t < cut ? (double) t / cut : 1 - (t - cut) / (cut * (1 / cutFraction - 1));
                    assertThat(schedule.factor(t)).isCloseTo((1 + p * (ratio - 1)) / ratio, within(1e-12));
                }
            }
        }
    }

    @Test
    void slantedTriangularRoundsTheCutDownAndKeepsTheMinimum() {
        Schedule schedule = Schedule.slantedTriangular(15, 0.1, 32);
        assertThat(schedule.factor(0)).isEqualTo(1 / 32.0);
        assertThat(schedule.factor(1)).isEqualTo(1);
        assertThat(schedule.factor(8)).isCloseTo((1 + 1 / 32.0) / 2, within(1e-15));
        assertThat(schedule.factor(15)).isEqualTo(1 / 32.0);
        assertThat(schedule.factor(100)).isEqualTo(1 / 32.0);
    }

    @Test
    void phasesAreContinuous() {
        Schedule schedule =
                Schedule.warmup(10).thenCosine(20, 0.2).thenConstant(30).thenLinear(40, 0);
        assertThat(schedule.factor(0)).isEqualTo(0);
        assertThat(schedule.factor(5)).isEqualTo(0.5);
        assertThat(schedule.factor(10)).isEqualTo(1);
        assertThat(schedule.factor(20)).isCloseTo(0.6, within(1e-15));
        assertThat(schedule.factor(30)).isEqualTo(0.2);
        assertThat(schedule.factor(59)).isEqualTo(0.2);
        assertThat(schedule.factor(60)).isEqualTo(0.2);
        assertThat(schedule.factor(80)).isCloseTo(0.1, within(1e-15));
        assertThat(schedule.factor(100)).isEqualTo(0);
    }

    @Test
    void levelRemainsAfterTheLastPhase() {
        assertThat(Schedule.cosine(2, 10, 0.1).factor(10)).isEqualTo(0.1);
        assertThat(Schedule.cosine(2, 10, 0.1).factor(Long.MAX_VALUE)).isEqualTo(0.1);
        assertThat(Schedule.linear(2, 10).factor(1_000)).isEqualTo(0);
        assertThat(Schedule.constant().factor(1_000)).isEqualTo(1);
        assertThat(Schedule.constant().thenConstant(3).thenLinear(2, 0).factor(4))
                .isEqualTo(0.5);
    }

    @Test
    void phaseWithoutStepsJumpsToItsLevel() {
        assertThat(Schedule.warmup(0).factor(0)).isEqualTo(1);
        assertThat(Schedule.linear(5, 5).factor(4)).isEqualTo(0.8);
        assertThat(Schedule.linear(5, 5).factor(5)).isEqualTo(0);
        assertThat(Schedule.linear(0, 0).factor(0)).isEqualTo(0);
    }

    @Test
    void invalidArgumentsAreRejected() {
        assertRejected(() -> Schedule.linear(11, 10), "the warmup of 11 steps is longer than the total of 10");
        assertRejected(() -> Schedule.cosine(11, 10, 0), "the warmup of 11 steps is longer than the total of 10");
        assertRejected(() -> Schedule.warmup(-1), "the number of steps is -1");
        assertRejected(() -> Schedule.linear(-2, -1), "the number of steps is -2");
        assertRejected(() -> Schedule.cosine(0, 10, 1.1), "minRatio is 1.1");
        assertRejected(() -> Schedule.cosine(0, 10, -0.1), "minRatio is -0.1");
        assertRejected(() -> Schedule.cosine(0, 10, Double.NaN), "minRatio is NaN");
        assertRejected(() -> Schedule.constant().thenLinear(10, -1), "the level is -1.0");
        assertRejected(() -> Schedule.constant().factor(-1), "the step is -1");
        assertRejected(() -> Schedule.slantedTriangular(-1, 0.1, 32), "the number of steps is -1");
        assertRejected(() -> Schedule.slantedTriangular(10, 1.1, 32), "cutFraction is 1.1");
        assertRejected(() -> Schedule.slantedTriangular(10, 0.1, 0.5), "ratio is 0.5");
    }

    private static void assertRejected(Runnable work, String message) {
        assertThatThrownBy(work::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("schedule: " + message);
    }
}
