package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.parallel.CommunicationTime;
import io.gradus.train.TrainingListener.Evaluation;
import io.gradus.train.TrainingListener.Sample;
import io.gradus.train.TrainingListener.Step;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens is a line at once, and a run that goes on drops the lines of steps that it makes again. */
class MetricsLogTest {
    @TempDir
    private Path folder;

    private static void threeSteps(MetricsLog log) {
        log.evaluated(new Evaluation(0, "held_out", 3.5));
        log.sampled(new Sample(0, "naïve", "“日本”"));
        for (int step = 1; step <= 3; step++) {
            log.stepped(new Step(step, 3.0 / step, 0.1, 2, 64, 0.5));
        }
        log.evaluated(new Evaluation(3, "general", 1.25));
    }

    @Test
    void eachEventIsOneLine() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        threeSteps(new MetricsLog(file, 0));

        assertThat(file).content().isEqualTo("""
            {"step":0,"held_out_loss":3.5}
            {"step":0,"prompt":"naïve","text":"“日本”"}
            {"step":1,"loss":3.0,"learning_rate":0.1,"grad_norm":2.0,"tokens":64,"tokens_per_second":128}
            {"step":2,"loss":1.5,"learning_rate":0.1,"grad_norm":2.0,"tokens":64,"tokens_per_second":128}
            {"step":3,"loss":1.0,"learning_rate":0.1,"grad_norm":2.0,"tokens":64,"tokens_per_second":128}
            {"step":3,"general_loss":1.25}
            """);
    }

    @Test
    void stepOfSeveralProcessesHasTheTimeOfCommunication() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        new MetricsLog(file, 0).stepped(new Step(1, 3, 0.1, 2, 64, 0.5, new CommunicationTime(0.25, 0.125)));
        assertThat(file)
                .content()
                .endsWith(",\"seconds\":0.5,\"communication_seconds\":0.25,\"waiting_seconds\":0.125}\n");
    }

    @Test
    void linesAfterTheCheckpointAreRemoved() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        threeSteps(new MetricsLog(file, 0));
        new MetricsLog(file, 2);
        assertThat(Files.readAllLines(file)).hasSize(4).last().asString().startsWith("{\"step\":2,");

        new MetricsLog(file, 0);
        assertThat(file).isEmptyFile();
    }

    /** A kill may fall into the writing of a line, and of a character. */
    @Test
    void truncatedLineIsRemoved() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        byte[] line = "{\"step\":1,\"prompt\":\"日\",\"text\":\"本\"}".getBytes(StandardCharsets.UTF_8);
        for (int length = 0; length < line.length; length++) {
            Files.deleteIfExists(file);
            threeSteps(new MetricsLog(file, 0));
            Files.write(file, Arrays.copyOf(line, length), StandardOpenOption.APPEND);
            new MetricsLog(file, 3);

            assertThat(Files.readAllLines(file))
                    .as("cut after %d bytes", length)
                    .hasSize(6);
        }
    }
}
