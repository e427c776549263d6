package io.gradus.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.bench.measure.Machine;
import io.gradus.bench.report.History.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryTest {
    private static final Run RUN = new Run(
            Instant.parse("2026-01-02T03:04:05.678Z"),
            new Machine("Some Processor", 2, "25", "Linux"),
            "2.10.0 with mkl",
            false,
            Map.of(2, Results.PEAKS),
            List.of(Results.of("gpt2", "gpt2 B 4 T 64", 2, 1.23456)),
            Map.of(2, 7));

    @TempDir
    Path folder;

    @Test
    void lineContainsMachinePeaksResultsAndTargets() throws IOException {
        JsonNode line = new ObjectMapper().readTree(History.line(RUN));

        assertThat(line.path("date").asText()).isEqualTo("2026-01-02T03:04:05Z");
        assertThat(line.path("cpu").asText()).isEqualTo("Some Processor");
        assertThat(line.path("libtorch").asText()).isEqualTo("2.10.0 with mkl");
        assertThat(line.path("peaks").path("2").path("GFLOP/s").asDouble()).isEqualTo(300);
        assertThat(line.path("results").path("2").path("gpt2").path("gpt2 B 4 T 64"))
                .hasToString("[1000.0,1235.0,1.235,5,5]");
        assertThat(line.path("targets")
                        .path("2")
                        .path("GPT-2 training step, slower batch")
                        .asDouble())
                .isEqualTo(1.235);
        assertThat(line.path("warm-up steps").path("2").asInt()).isEqualTo(7);
    }

    @Test
    void runsAreAppendedAsLines() throws IOException {
        Path file = folder.resolve("bench/history.jsonl");

        History.append(file, RUN);
        History.append(file, RUN);

        assertThat(Files.readAllLines(file)).hasSize(2).allMatch(line -> line.equals(History.line(RUN)));
        assertThat(file.getParent().toFile().list())
                .containsExactly(file.getFileName().toString());
    }

    @Test
    void fileThatCannotBeReplacedIsUnchanged() throws IOException {
        Path file = folder.resolve("history.jsonl");
        Files.createDirectories(file.resolve("in-the-way"));

        assertThatThrownBy(() -> History.append(file, RUN)).isInstanceOf(IOException.class);
        assertThat(file.resolve("in-the-way")).isDirectory();
    }
}
