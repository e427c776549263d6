package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of 40 MB are packed by a JVM with a heap of 64 MB. */
class SmallHeapTest {
    private static final int LENGTH = 256;

    @TempDir
    private Path folder;

    /** Packs a file, a quarter of which is held out, and prints the sizes and the last block. */
    static final class Pack {
        private Pack() {}

        public static void main(String[] arguments) throws IOException {
            Tokenizer tokenizer = arguments.length == 1 ? new ByteTokenizer() : Tokenizer.load(Path.of(arguments[1]));
            Split split = Split.of(Documents.read(Path.of(arguments[0])), 0.25);
            Packing packing = Packing.usual(split.training());
            Blocks training = Blocks.pack(split.training(), tokenizer, LENGTH, packing, null);
            Blocks heldOut = Blocks.pack(split.heldOut(), tokenizer, LENGTH, packing, null);
            System.out.println(training.size() + " " + training.counted() + " " + heldOut.size() + " "
                    + heldOut.counted() + " "
                    + Arrays.toString(training.get(training.size() - 1).ids()));
        }
    }

    private static String pack(Path file, String... model) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Pack.class.getName(),
                file.toString()));
        command.addAll(List.of(model));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return output.strip();
    }

    private Path write(String name, String first, String repeated, int count) throws IOException {
        Path file = folder.resolve(name);
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            out.write(first);
            for (int i = 0; i < count; i++) {
                out.write(repeated);
            }
        }
        return file;
    }

    /** What {@link Pack} prints first if both streams have so many tokens. */
    private static String sizesOfStreams(long training, long heldOut) {
        return Math.ceilDiv(training - 1, LENGTH) + " " + (training - 1) + " " + Math.ceilDiv(heldOut - 1, LENGTH) + " "
                + (heldOut - 1) + " ";
    }

    @Test
    void textFileIsSplitAndPacked() throws Exception {
        Path file = write("a.txt", "", "The mill stands by the river, as before\n", 1_000_000);
        assertThat(pack(file))
                .startsWith(sizesOfStreams(30_000_001, 10_000_001) + "[")
                .endsWith(", 98, 101, 102, 111, 114, 101, 10, 256" + ", 256".repeat(LENGTH - 129) + "]");
    }

    @Test
    void jsonLinesAreSplitAndPacked() throws Exception {
        Path file = write("a.jsonl", "", "{\"text\": \"" + "word ".repeat(17) + "ends.\"}\n", 390_000);
        assertThat(pack(file)).startsWith(sizesOfStreams(292_500 * 91L, 97_500 * 91L) + "[");
    }

    @Test
    void tableIsSplitAndPacked() throws Exception {
        Path file = write("a.csv", "text,label\n", "\"" + "word, ".repeat(15) + "end\",yes\n", 400_000);
        // A text of 93 bytes and what the template adds take 104 places, and two of them fit into a row.
        assertThat(pack(file)).startsWith("150000 1500000 50000 500000 [119, 111, 114, 100, 44, 32, ");
    }

    @Test
    void textIsTokenizedByTheNativeLibrary() throws Exception {
        Path model = Path.of(System.getProperty("gradus.shared", "../../shared"), "models", "stories260K");
        assumeThat(model).as("the model stories260K").isDirectory();
        String line = "Once upon a time, there was a little mill by the river.\n";
        Tokenizer tokenizer = Tokenizer.load(model);
        int once = tokenizer.encode(line.repeat(100)).length;
        int perLine = tokenizer.encode(line.repeat(101)).length - once;
        Path file = write("a.txt", "", line, 120_000); // 7 MB
        long training = once + (90_000 - 100L) * perLine + 2; // with bos and eos
        long heldOut = once + (30_000 - 100L) * perLine + 2;
        assertThat(pack(file, model.toString())).startsWith(sizesOfStreams(training, heldOut) + "[");
    }
}
