package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.cli.report.Curve.Point;
import io.gradus.train.TrainingListener.Sample;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsTest {
    @TempDir
    private Path folder;

    @Test
    void stepsEvaluationsAndSamplesAreRead() throws Exception {
        Metrics metrics = read("""
            {"step":0,"held_out_loss":5.5}
            {"step":0,"general_loss":1.25}
            {"step":0,"prompt":"Once","text":" upon"}
            {"step":1,"loss":4.5,"learning_rate":1.0E-4,"grad_norm":8.25,"tokens":512,"tokens_per_second":1024}
            {"step":2,"loss":4.25,"learning_rate":2.0E-4,"grad_norm":7.5,"tokens":512,"tokens_per_second":256}
            {"step":2,"held_out_loss":5.0}
            """);
        assertThat(metrics.curve(Metrics.Step::loss).points()).containsExactly(new Point(1, 4.5), new Point(2, 4.25));
        assertThat(metrics.curve(Metrics.Step::learningRate).points())
                .extracting(Point::value)
                .containsExactly(1e-4, 2e-4);
        assertThat(metrics.curve(Metrics.Step::gradientNorm).points())
                .extracting(Point::value)
                .containsExactly(8.25, 7.5);
        assertThat(metrics.evaluation("held_out").points()).containsExactly(new Point(0, 5.5), new Point(2, 5.0));
        assertThat(metrics.evaluation("general").points()).containsExactly(new Point(0, 1.25));
        assertThat(metrics.evaluation("other").points()).isEmpty();
        assertThat(metrics.samples().values()).containsExactly(new Sample(0, "Once", " upon"));
        assertThat(metrics.tokens()).isEqualTo(1024);
        assertThat(metrics.seconds()).isCloseTo(2.5, within(1e-12));
    }

    @Test
    void laterRecordReplacesEarlierAndDamagedLinesAreSkipped() throws Exception {
        Metrics metrics = read("""
            {"step":1,"loss":4.5,"tokens":8,"tokens_per_second":4}
            {"step":2,"loss":4.0,"tokens":8,"tokens_per_second":4}
            {"step":3,"lo

            [1, 2]
            {"note":"no step"}
            {"step":2,"loss":3.5,"tokens":8,"tokens_per_second":4}
            """);
        assertThat(metrics.curve(Metrics.Step::loss).points()).containsExactly(new Point(1, 4.5), new Point(2, 3.5));
        assertThat(metrics.tokens()).isEqualTo(16);
    }

    @Test
    void nonFiniteAndMissingNumbersAreNan() throws Exception {
        Metrics metrics = read("""
            {"step":1,"loss":"NaN","grad_norm":"Infinity","tokens":8,"tokens_per_second":0}
            {"step":1,"held_out_loss":"NaN"}
            """);
        assertThat(metrics.steps().get(1)).isEqualTo(new Metrics.Step(Double.NaN, Double.NaN, Double.NaN, 8, 0));
        assertThat(metrics.evaluation("held_out").points()).containsExactly(new Point(1, Double.NaN));
        assertThat(metrics.seconds()).isZero();
    }

    private Metrics read(String lines) throws Exception {
        return Metrics.read(Files.writeString(folder.resolve("metrics.jsonl"), lines));
    }
}
