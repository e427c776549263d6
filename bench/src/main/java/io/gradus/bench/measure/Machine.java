package io.gradus.bench.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The machine of a measurement.
 *
 * @param processor the CPU's model name
 * @param processors number of processors available to the JVM
 * @param jdk version and vendor
 * @param system name, version and architecture of the operating system
 */
public record Machine(String processor, int processors, String jdk, String system) {

    /** This machine. */
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
     * The model name from {@code /proc/cpuinfo} with family and model numbers, since some clouds use a generic name.
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
