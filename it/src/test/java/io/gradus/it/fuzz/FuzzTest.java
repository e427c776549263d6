package io.gradus.it.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.it.fuzz.Fuzzer.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Loads damaged files of every kind: a few in each build, a million with {@code mvn -Pfuzz}. The properties {@code fuzz.loads},
 * {@code fuzz.seed}, {@code fuzz.kinds} and {@code fuzz.first} choose others, so that the number of a finding repeats it.
 */
class FuzzTest {
    private static final Path FINDINGS = Path.of("target", "fuzz");

    /** The kinds, with their parts of the loads. */
    private static Map<Kind, Integer> kinds() {
        Map<Kind, Integer> kinds = new LinkedHashMap<>();
        Stream.of(WeightKinds.all(), TextKinds.all(), RunKinds.all(), ServingKinds.all())
                .flatMap(List::stream)
                .forEach(kind -> kinds.put(kind, PARTS.getOrDefault(kind.name(), 10)));
        return kinds;
    }

    private static final Map<String, Integer> PARTS =
            Map.of("config", 7, "delta", 5, "checkpoint", 5, "tokenizer", 7, "txt", 5);

    /** On a thread with a short stack, because most loads throw exceptions. */
    private static Result run(Kind kind, long seed, long first, long loads) throws Exception {
        try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
            return thread.submit(() -> new Fuzzer(kind, seed, FINDINGS).run(first, loads))
                    .get();
        }
    }

    @Test
    void damagedFilesLoadOrAreRejectedWithAMessageThatNamesThem() throws Exception {
        LogManager.getLogManager().getLogger("").setLevel(Level.OFF);
        long seed = Long.getLong("fuzz.seed", 1);
        long loads = Long.getLong("fuzz.loads", 20_000);
        long first = Long.getLong("fuzz.first", 0);
        List<String> chosen = Arrays.asList(System.getProperty("fuzz.kinds", "").split(","));
        Map<Kind, Integer> kinds = kinds();
        kinds.keySet().removeIf(kind -> !chosen.contains("") && !chosen.contains(kind.name()));
        assertThat(kinds).as("fuzz.kinds").isNotEmpty();
        int parts = kinds.values().stream().mapToInt(Integer::intValue).sum();
        List<Result> results = new ArrayList<>();
        for (Map.Entry<Kind, Integer> kind : kinds.entrySet()) {
            long share = Math.max(1, Math.ceilDiv(loads * kind.getValue(), parts));
            results.add(run(kind.getKey(), seed, first, share));
        }
        String table = table(results, seed);
        Files.writeString(Files.createDirectories(FINDINGS).resolve("loads.txt"), table);
        System.out.println(table);
        assertThat(results.stream().flatMap(result -> result.found().stream()))
                .as(table)
                .isEmpty();
    }

    private static String table(List<Result> results, long seed) {
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                "%-12s %10s %10s %10s %7s %9s %8s%n",
                "kind",
                "loads",
                "loaded",
                "rejected",
                "places",
                "findings",
                "seconds"));
        for (Result result : results) {
            table.append(String.format(
                    Locale.ROOT,
                    "%-12s %,10d %,10d %,10d %7d %9d %8.1f%n",
                    result.kind(),
                    result.loads(),
                    result.loaded(),
                    result.rejected(),
                    result.places(),
                    result.bad(),
                    result.seconds()));
        }
        table.append(String.format(
                Locale.ROOT,
                "%-12s %,10d %,10d %,10d %7s %9d %8.1f%nseed %d%n",
                "all",
                results.stream().mapToLong(Result::loads).sum(),
                results.stream().mapToLong(Result::loaded).sum(),
                results.stream().mapToLong(Result::rejected).sum(),
                "",
                results.stream().mapToLong(Result::bad).sum(),
                results.stream().mapToDouble(Result::seconds).sum(),
                seed));
        return table.toString();
    }
}
