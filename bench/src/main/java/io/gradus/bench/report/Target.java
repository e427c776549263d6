package io.gradus.bench.report;

import io.gradus.bench.cases.GemmCases;
import io.gradus.bench.measure.Medians;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/**
 * A performance target of Gradus: the minimum of a figure over some cases. Ratios are libtorch's time divided by ours.
 *
 * @param name shown in reports
 * @param minimum of the figure
 * @param cases selects the cases
 * @param figure computed from the selected cases
 */
public record Target(String name, double minimum, Predicate<Result> cases, ToDoubleFunction<List<Result>> figure) {

    /** A target compared with results. */
    public record Verdict(Target target, int threads, double value) {
        public boolean isMet() {
            return value >= target.minimum;
        }
    }

    /** All targets. */
    public static List<Target> all() {
        List<Target> targets = new ArrayList<>();
        Predicate<Result> gemm = in("gemm");
        targets.add(new Target("GEMM, median of all shapes", 0.93, gemm, Target::median));
        targets.add(new Target("GEMM, slowest shape", 0.85, gemm, Target::slowest));
        targets.add(new Target(
                "GEMM, vocabulary edge, slowest",
                1.1,
                gemm.and(result -> GemmCases.hasVocabularyEdge(result.name())),
                Target::slowest));
        targets.add(new Target("GEMM in BF16, median of all shapes", 0.85, in("gemm-medium"), Target::median));
        targets.add(new Target("GEMM in BF16, slowest shape", 0.65, in("gemm-medium"), Target::slowest));
        targets.add(new Target("GEMM with sums of two BF16, median", 1.5, in("gemm-high"), Target::median));
        targets.add(slowest("cross-entropy fwd+bwd", 5, in("cross-entropy").and(named("cross-entropy fwd+bwd"))));
        targets.add(slowest("GELU tanh forward", 2.5, named("GELU tanh fwd")));
        targets.add(slowest("GELU tanh backward", 2.5, named("GELU tanh bwd")));
        targets.add(slowest("GELU erf, slower pass", 0.95, startingWith("GELU erf")));
        targets.add(slowest("SiLU, slower pass", 0.95, startingWith("SiLU")));
        targets.add(slowest("softmax, slowest row length", 0.95, in("softmax")));
        targets.add(slowest("layer norm, slower pass", 0.95, startingWith("layer norm")));
        targets.add(slowest("RMS norm, slower pass", 0.95, startingWith("RMS norm")));
        targets.add(slowest("AdamW, 100M weights", 1.0, in("adamw")));
        targets.add(new Target(
                "AdamW, share of bandwidth",
                0.8,
                in("adamw"),
                results -> results.stream().mapToDouble(Result::share).min().orElseThrow()));
        targets.add(slowest("GPT-2 training step, slower batch", 1.15, in("gpt2")));
        targets.add(slowest(
                "GPT-2 step in BF16, slowest batch", 1.2, in("gpt2-medium").or(in("gpt2-bf16"))));
        targets.add(slowest("SmolLM2 step in BF16", 1.2, in("smollm2-medium").or(in("smollm2-bf16"))));
        targets.add(slowest("GPT-2 step with sums of two BF16", 1.6, in("gpt2-high")));
        targets.add(slowest("GPT-2 step, peak memory", 1.0, in("memory")));
        return targets;
    }

    /** Compares each target with the results, for each number of threads that has any. */
    public static List<Verdict> judge(List<Result> results) {
        List<Verdict> verdicts = new ArrayList<>();
        List<Integer> threads =
                results.stream().map(Result::threads).distinct().sorted().toList();
        for (Target target : all()) {
            for (int count : threads) {
                List<Result> counted = results.stream()
                        .filter(result -> result.threads() == count)
                        .filter(target.cases)
                        .toList();
                if (!counted.isEmpty()) {
                    verdicts.add(new Verdict(target, count, target.figure.applyAsDouble(counted)));
                }
            }
        }
        return verdicts;
    }

    private static Target slowest(String name, double minimum, Predicate<Result> cases) {
        return new Target(name, minimum, cases, Target::slowest);
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
