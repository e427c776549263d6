package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.TinyModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The plan of a run includes the process, and its peak is that of the process that the launcher starts. */
class PlannedProcessTest {
    private static final int PATIENCE_SECONDS = 900;
    private static final Path LAUNCHER = Path.of("..", "gradus");
    /** In the launcher; what has a variable in it depends on the machine. */
    private static final Pattern MEMORY_FLAG = Pattern.compile("(?<= |\\()-X(?:m[sn]|X:)[-+=A-Za-z0-9]+(?=[ )\n])");

    private static final Pattern PEAK = Pattern.compile("process +(\\d+) MB at its peak \\(planned (\\d+) MB\\)");

    @TempDir
    private Path folder;

    @BeforeEach
    void requireLinux() {
        assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "only Linux tells the peak of a process");
    }

    @Test
    void launcherSetsTheSizesOfTheHeap() throws Exception {
        assertThat(flags()).contains("-XX:+UseSerialGC", "-Xmn24m", "-Xms32m").doesNotContain("-Xmx8g");
    }

    @Test
    void processOfASmallModelTakesThePlannedMemory() throws Exception {
        assertTakesThePlannedMemory(LlamaConfig.of(257, 64, 176, 4, 4, 4, 128), "batch_size=8", "steps=60");
    }

    @Test
    void processOf20MillionParametersTakesThePlannedMemory() throws Exception {
        assertTakesThePlannedMemory(LlamaConfig.of(257, 512, 1408, 6, 8, 8, 128), "batch_size=2", "steps=6");
    }

    private void assertTakesThePlannedMemory(LlamaConfig config, String... keys) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "finetune",
                "model.path=" + TinyModel.write(folder.resolve("model"), config),
                "data.train=" + TinyModel.writeText(folder.resolve("text.txt"), 1000),
                "eval_steps=1000",
                "check_first_loss=false",
                "threads=2",
                "output=" + folder.resolve("tuned")));
        arguments.addAll(List.of(keys));
        List<String> options = flags();
        options.add("-XX:MaxDirectMemorySize=4g");
        Path log = folder.resolve("run.log");
        Process run = Program.startMain(List.of(), options, "io.gradus.cli.Main", arguments, log);
        assertThat(Program.endsWithin(run, PATIENCE_SECONDS)).isTrue();
        String said = Files.readString(log);
        Matcher peak = PEAK.matcher(said);
        assertThat(peak.find()).as(said).isTrue();
        double measured = Double.parseDouble(peak.group(1));
        double planned = Double.parseDouble(peak.group(2));
        assertThat(planned / measured).as(said).isBetween(0.9, 1.1);
    }

    private static List<String> flags() throws Exception {
        List<String> flags = new ArrayList<>();
        for (String line : Files.readAllLines(LAUNCHER)) {
            if (!line.strip().startsWith("#")) {
                Matcher flag = MEMORY_FLAG.matcher(line + "\n");
                while (flag.find()) {
                    flags.add(flag.group());
                }
            }
        }
        return flags;
    }
}
