package io.gradus.bench.report;

import io.gradus.bench.cases.GemmCases;
import io.gradus.bench.measure.Medians;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/**
 * What Gradus sets itself: that some figure of some cases is at least so high. Ratios are libtorch's time over ours.
 *
 * @param name what a reader calls it
 * @param minimum of the figure
 * @param cases which count
 * @param figure of them
 */
public record Bar(String name, double minimum, Predicate<Result> cases, ToDoubleFunction<List<Result>> figure) {

    /** A bar that was held against results. */
    public record Verdict(Bar bar, int threads, double value) {
        public boolean isMet() {
            return value >= bar.minimum;
        }
    }

    /** All of them. */
    public static List<Bar> all() {
        List<Bar> bars = new ArrayList<>();
        Predicate<Result> gemm = in("gemm");
        bars.add(new Bar("GEMM, median of all shapes", 0.93, gemm, Bar::median));
        bars.add(new Bar("GEMM, slowest shape", 0.85, gemm, Bar::slowest));
        bars.add(new Bar(
                "GEMM, vocabulary edge, slowest",
                1.1,
                gemm.and(result -> GemmCases.hasVocabularyEdge(result.name())),
                Bar::slowest));
        bars.add(slowest("cross-entropy fwd+bwd", 5, in("cross-entropy").and(named("cross-entropy fwd+bwd"))));
        bars.add(slowest("GELU tanh forward", 2.5, named("GELU tanh fwd")));
        bars.add(slowest("GELU tanh backward", 2.5, named("GELU tanh bwd")));
        bars.add(slowest("GELU erf, slower pass", 0.95, startingWith("GELU erf")));
        bars.add(slowest("SiLU, slower pass", 0.95, startingWith("SiLU")));
        bars.add(slowest("softmax, slowest row length", 0.95, in("softmax")));
        bars.add(slowest("layer norm, slower pass", 0.95, startingWith("layer norm")));
        bars.add(slowest("RMS norm, slower pass", 0.95, startingWith("RMS norm")));
        bars.add(slowest("AdamW, 100M weights", 1.0, in("adamw")));
        bars.add(new Bar(
                "AdamW, share of bandwidth",
                0.8,
                in("adamw"),
                results -> results.stream().mapToDouble(Result::share).min().orElseThrow()));
        bars.add(slowest("GPT-2 training step, slower batch", 1.15, in("gpt2")));
        bars.add(slowest("GPT-2 step, peak memory", 1.0, in("memory")));
        return bars;
    }

    /** Each bar for each number of threads for which there are results. */
    public static List<Verdict> judge(List<Result> results) {
        List<Verdict> verdicts = new ArrayList<>();
        List<Integer> threads =
                results.stream().map(Result::threads).distinct().sorted().toList();
        for (Bar bar : all()) {
            for (int count : threads) {
                List<Result> counted = results.stream()
                        .filter(result -> result.threads() == count)
                        .filter(bar.cases)
                        .toList();
                if (!counted.isEmpty()) {
                    verdicts.add(new Verdict(bar, count, bar.figure.applyAsDouble(counted)));
                }
            }
        }
        return verdicts;
    }

    private static Bar slowest(String name, double minimum, Predicate<Result> cases) {
        return new Bar(name, minimum, cases, Bar::slowest);
    }

    private static Predicate<Result> in(String group) {
        return result -> result.group().equals(group);
    }

    private static Predicate<Result> named(String name) {
        return result -> result.name().equals(name);
    }

    private static Predicate<Result> startingWith(String prefix) {
        return result -> result.name().startsWith(prefix);
    }

    private static double median(List<Result> results) {
        return Medians.of(
                results.stream().mapToDouble(result -> result.outcome().ratio()).toArray());
    }

    private static double slowest(List<Result> results) {
        return results.stream()
                .mapToDouble(result -> result.outcome().ratio())
                .min()
                .orElseThrow();
    }
}
