package io.gradus.cli;

import io.gradus.cli.print.Quantities;
import io.gradus.core.WholeFile;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.train.memory.Bytes;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Implements {@code gradus inspect}. */
@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        description = "Prints the tensors of a checkpoint: names, dtypes, shapes, and the total size.",
        footer = {"", "Examples:", "  ./gradus inspect my-llama", "  ./gradus inspect my-llama/model.safetensors"})
final class InspectCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "PATH", description = "A Hugging Face folder or a safetensors file.")
    private Path path = Path.of("");

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        Path config = path.resolve("config.json");
        if (Files.isRegularFile(config)) {
            out.println(config);
            out.println(text(config).strip());
            out.println();
        }
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(path)) {
            int width =
                    checkpoint.names().stream().mapToInt(String::length).max().orElse(0);
            Map<String, Long> byType = new TreeMap<>();
            long numbers = 0;
            for (Entry entry : checkpoint.entries()) {
                out.printf(
                        Locale.ROOT,
                        "%-" + Math.max(1, width) + "s  %-4s  %s%n",
                        entry.name(),
                        entry.dtype(),
                        entry.shape());
                byType.merge(entry.dtype(), entry.byteSize(), Long::sum);
                numbers += entry.shape().size();
            }
            out.println();
            out.println(checkpoint.names().size() + " tensors, " + Quantities.grouped(numbers) + " numbers");
            byType.forEach((dtype, bytes) -> out.println(dtype + ": " + Bytes.format(bytes)));
        }
        out.flush();
        return 0;
    }

    private static String text(Path file) throws IOException {
        try {
            return WholeFile.text(file);
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is not UTF-8; save it in that encoding, or download it again", e);
        }
    }
}
