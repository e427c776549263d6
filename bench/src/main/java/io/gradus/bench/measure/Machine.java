package io.gradus.bench.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where something was measured.
 *
 * @param processor as its maker calls it
 * @param processors how many the JVM may use
 * @param jdk its version and its maker
 * @param system name, version and architecture
 */
public record Machine(String processor, int processors, String jdk, String system) {

    public static Machine here() {
        return new Machine(
                processorName(),
                Runtime.getRuntime().availableProcessors(),
                Runtime.version() + " " + System.getProperty("java.vendor.version", System.getProperty("java.vendor")),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"));
    }

    private static String processorName() {
        try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return processorName(String.join("\n", lines.limit(30).toList()));
        } catch (IOException e) {
            return System.getProperty("os.arch");
        }
    }

    /**
     * The name in the text of {@code /proc/cpuinfo}, and family and model, for clouds that hide what is behind the
     * name.
     */
    static String processorName(String text) {
        String name = field(text, "model name");
        String family = field(text, "cpu family");
        String model = field(text, "model");
        if (name.isEmpty()) {
            return System.getProperty("os.arch");
        }
        return family.isEmpty() ? name : name + " (family " + family + " model " + model + ")";
    }

    private static String field(String text, String key) {
        return text.lines()
                .filter(line -> line.matches(key + "\\s*:.*"))
                .findFirst()
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .orElse("");
    }
}
