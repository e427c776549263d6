package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.TinyModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two processes with one recipe write the same bytes, although each JVM has another order of its immutable maps. */
class RepeatedRunTest {
    @TempDir
    private Path folder;

    @Test
    void twoProcessesWriteTheSameBytes() throws Exception {
        List<String> keys = List.of(
                "model.path=" + TinyModel.write(folder.resolve("model")),
                "data.train=" + TinyModel.writeText(folder.resolve("text.txt"), 60),
                "data.general=" + TinyModel.writeText(folder.resolve("general.txt"), 60),
                "steps=4",
                "batch_size=2",
                "max_eval_blocks=2",
                "save_steps=2",
                "ema_decay=0.9",
                "sample.max_tokens=2",
                "threads=1");
        SortedMap<String, String> first = written(keys, "a");
        SortedMap<String, String> second = written(keys, "b");

        assertThat(first.keySet()).contains("checkpoints/step-000002/state.json", "recipe.yaml", "metrics.jsonl");
        assertThat(second).isEqualTo(first);
    }

    /** The files of a run; without speeds and times. */
    private SortedMap<String, String> written(List<String> keys, String name) throws Exception {
        Path output = folder.resolve(name);
        Process process = Program.finetune(keys, output);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(Program.log(output)).isZero();
        SortedMap<String, String> files = new TreeMap<>();
        try (Stream<Path> found = Files.walk(output)) {
            for (Path file : (Iterable<Path>) found.filter(Files::isRegularFile)::iterator) {
                if (!file.endsWith("report.html")) {
                    files.put(output.relativize(file).toString(), content(file, output));
                }
            }
        }
        return files;
    }

    private static String content(Path file, Path output) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1)
                .replace(output.toString(), "OUTPUT")
                .replaceAll(",\"tokens_per_second\":\\d+", "");
    }
}
