package io.gradus.it.fuzz;

import com.sun.management.ThreadMXBean;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Loads many damaged files of one kind. Each must load, or be rejected with a message that names it. Everything else is a
 * finding: another exception, a message that helps nobody, a load that takes long or much memory, or that has another result
 * the second time. Findings are written to a folder.
 *
 * <p>A sample is a function of the seed and its number, so that one number repeats it.
 */
final class Fuzzer {
    /** CPU time of a load. */
    private static final double MAX_SECONDS = 2;

    /** Memory that a load allocates on the heap, and that tensors take. */
    private static final long MAX_BYTES = 64L << 20;

    private static final int MAX_MESSAGE = 2000;
    private static final int SHOWN = 20;

    /** What only programmers understand. */
    private static final Pattern INTERNAL = Pattern.compile(
            "fasterxml|snakeyaml|java\\.(?:lang|util|io|nio)\\.|No enum constant|Cannot invoke \"|StreamReadConstraints");

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Kind kind;
    private final long seed;
    private final Path findings;
    private final Map<String, Integer> places = new TreeMap<>();
    private final Map<String, String> found = new LinkedHashMap<>();
    private long loaded;
    private long rejected;
    private long bad;

    Fuzzer(Kind kind, long seed, Path findings) {
        this.kind = kind;
        this.seed = seed;
        this.findings = findings;
    }

    /**
     * The counts of one kind.
     *
     * @param places the number of different places from which rejections came, in an eighth of the samples
     * @param bad samples with a finding
     * @param seconds of CPU time
     * @param found findings of different kinds, each with its first sample
     */
    record Result(
            String kind,
            long loads,
            long loaded,
            long rejected,
            int places,
            long bad,
            double seconds,
            List<String> found) {}

    /** How a load ended. */
    private record Outcome(@Nullable Object value, @Nullable Throwable thrown) {
        /** The same for two loads of one sample. */
        String essence() {
            return thrown == null ? "loaded " + value : thrown.getClass().getName() + ": " + thrown.getMessage();
        }
    }

    /** Loads the samples with these numbers. */
    Result run(long first, long loads) throws IOException {
        long start = THREADS.getCurrentThreadCpuTime();
        try (Workspace workspace = new Workspace();
                Watchdog watchdog = new Watchdog(kind.name(), findings)) {
            for (long number = first; number < first + loads; number++) {
                Map<String, byte[]> sample = sample(number);
                watchdog.begin(number);
                workspace.show(sample);
                String problem = load(workspace.folder(), sample, number);
                if (problem != null) {
                    report(number, sample, problem);
                }
            }
        }
        double seconds = (THREADS.getCurrentThreadCpuTime() - start) / 1e9;
        return new Result(
                kind.name(), loads, loaded, rejected, places.size(), bad, seconds, List.copyOf(found.values()));
    }

    Map<String, byte[]> sample(long number) {
        long mixed = (seed * 31 + kind.name().hashCode()) * 0x9E3779B97F4A7C15L + number;
        return kind.sample(new SplittableRandom(mixed));
    }

    /** Loads a sample once, and some twice. Returns the problem, if there is one. */
    private @Nullable String load(Path folder, Map<String, byte[]> sample, long number) {
        long cpu = THREADS.getCurrentThreadCpuTime();
        long bytes = THREADS.getCurrentThreadAllocatedBytes();
        Samples.CPU.backend().memory().resetPeak();
        Outcome outcome = once(folder);
        double seconds = (THREADS.getCurrentThreadCpuTime() - cpu) / 1e9;
        long heap = THREADS.getCurrentThreadAllocatedBytes() - bytes;
        long tensors = Samples.CPU.backend().memory().peak();
        if (outcome.thrown == null) {
            loaded++;
        } else {
            rejected++;
        }
        if (outcome.thrown != null) {
            String problem = problem(outcome.thrown, folder, sample);
            if (problem != null) {
                return problem;
            }
            if (places.size() < 10_000 && number % 8 == 0) {
                places.merge(String.valueOf(outcome.thrown.getStackTrace()[0]), 1, Integer::sum);
            }
        }
        if (seconds > MAX_SECONDS) {
            return String.format(Locale.ROOT, "it took %.1f seconds", seconds);
        }
        if (heap > MAX_BYTES || tensors > MAX_BYTES) {
            return "it took " + (heap >> 20) + " MiB of the heap and " + (tensors >> 20) + " MiB of tensors";
        }
        if (number % 16 == 0) {
            String again = once(folder).essence();
            if (!again.equals(outcome.essence())) {
                return "it loads differently the second time:\n" + outcome.essence() + "\n" + again;
            }
        }
        return null;
    }

    private Outcome once(Path folder) {
        try {
            return new Outcome(kind.load(folder), null);
        } catch (Throwable e) { // errors are findings, too
            return new Outcome(null, e);
        }
    }

    private static @Nullable String problem(Throwable thrown, Path folder, Map<String, byte[]> sample) {
        boolean expected = thrown instanceof IOException
                || thrown instanceof RecipeException
                || thrown.getClass() == IllegalArgumentException.class;
        String message = thrown.getMessage();
        if (!expected) {
            return "it ends with " + thrown.getClass().getName();
        }
        if (message == null || message.isBlank()) {
            return "the message is missing";
        }
        boolean names = thrown instanceof RecipeException
                || message.contains(folder.toString())
                || sample.keySet().stream()
                        .map(name -> name.substring(name.lastIndexOf('/') + 1))
                        .anyMatch(message::contains);
        if (!names) {
            return "the message does not name the file";
        }
        if (message.length() > MAX_MESSAGE) {
            return "the message has " + message.length() + " characters";
        }
        return INTERNAL.matcher(message).find() ? "the message speaks of internal things" : null;
    }

    private void report(long number, Map<String, byte[]> sample, String problem) throws IOException {
        bad++;
        Throwable thrown = problem.startsWith("it ends") || problem.startsWith("the message") ? rethrown(sample) : null;
        String place = thrown == null ? "" : place(thrown);
        String key = problem.lines().findFirst().orElse("").replaceAll("[0-9.]+", "#") + place;
        if (found.containsKey(key) || found.size() == SHOWN) {
            return;
        }
        StringWriter text = new StringWriter();
        PrintWriter out = new PrintWriter(text);
        out.println(problem);
        out.printf(
                Locale.ROOT,
                "mvn -Pfuzz -Dfuzz.kinds=%s -Dfuzz.seed=%d -Dfuzz.first=%d -Dfuzz.loads=1%n",
                kind.name(),
                seed,
                number);
        if (thrown != null) {
            thrown.printStackTrace(out);
        }
        Path target = findings.resolve(kind.name() + "-" + number);
        Files.createDirectories(target);
        Files.write(
                target.resolve("finding.txt"),
                text.toString().getBytes(StandardCharsets.UTF_8)); // with halves of characters
        for (Map.Entry<String, byte[]> file : sample.entrySet()) {
            Path path = target.resolve(file.getKey());
            Files.createDirectories(Objects.requireNonNull(path.getParent()));
            Files.write(path, file.getValue());
        }
        String message = thrown == null
                ? ""
                : ": " + String.valueOf(thrown.getMessage()).lines().findFirst().orElse("");
        found.put(key, kind.name() + " " + number + ": " + problem + " " + place + message);
    }

    private Throwable rethrown(Map<String, byte[]> sample) throws IOException {
        try (Workspace workspace = new Workspace()) {
            workspace.show(sample);
            Throwable thrown = once(workspace.folder()).thrown;
            return thrown == null ? new IllegalStateException("it loads the second time") : thrown;
        }
    }

    /** The first place of our own code. */
    private static String place(Throwable thrown) {
        List<String> ours = new ArrayList<>();
        for (StackTraceElement element : thrown.getStackTrace()) {
            if (element.getClassName().startsWith("io.gradus.")) {
                ours.add("(" + element.getFileName() + ":" + element.getLineNumber() + ")");
            }
        }
        return ours.isEmpty() ? "" : ours.getFirst();
    }
}
