package io.gradus.cli.print;

import io.gradus.core.MemoryCategory;
import io.gradus.train.memory.Bytes;
import io.gradus.train.memory.Comparison;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.RuleOfThumb;
import io.gradus.train.memory.RuleOfThumb.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Formats memory plans as tables for a terminal. */
public final class MemoryTable {
    private static final String NOTHING = "–";

    private MemoryTable() {}

    /**
     * Formats a plan with one line per category, and what the process takes beside its tensors.
     *
     * @param width columns of the terminal; a narrow terminal gets fewer columns of numbers
     */
    public static List<String> lines(MemoryPlan plan, int width) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("memory, planned", "kept", "at the peak"));
        for (MemoryCategory category : MemoryCategory.values()) {
            rows.add(List.of(
                    name(category),
                    bytes(plan.kept().get(category)),
                    bytes(plan.atPeak().get(category))));
            if (category == MemoryCategory.OPTIMIZER_STATE) {
                plan.optimizerState()
                        .forEach((buffer, bytes) -> rows.add(List.of("  " + buffer, bytes(bytes), bytes(bytes))));
            }
        }
        boolean beside = plan.process().bytes() > 0;
        rows.add(List.of(beside ? "all tensors" : "all", bytes(plan.keptBytes()), bytes(plan.peakBytes())));
        if (beside) {
            plan.process().parts().forEach((part, bytes) -> rows.add(List.of(part, NOTHING, bytes(bytes))));
            rows.add(List.of("the process", NOTHING, bytes(plan.processBytes())));
        }
        return new TextTable(rows).lines(width);
    }

    /** Formats the plans of several variants with one line per variant. */
    public static List<String> lines(List<Comparison.Row> comparison, int width) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("at the peak", "weights", "gradients", "optimizer", "activations", "all", "process"));
        for (Comparison.Row row : comparison) {
            Map<MemoryCategory, Long> bytes = row.plan().atPeak();
            long activations = bytes.getOrDefault(MemoryCategory.ACTIVATIONS, 0L)
                    + bytes.getOrDefault(MemoryCategory.WORKSPACE, 0L);
            rows.add(List.of(
                    row.name(),
                    bytes(bytes.get(MemoryCategory.WEIGHTS)),
                    bytes(bytes.get(MemoryCategory.GRADIENTS)),
                    bytes(bytes.get(MemoryCategory.OPTIMIZER_STATE)),
                    bytes(activations),
                    bytes(row.plan().peakBytes()),
                    bytes(row.plan().processBytes())));
        }
        return new TextTable(rows).lines(width);
    }

    /** Formats the rule-of-thumb estimate in both precisions. */
    public static List<String> lines(RuleOfThumb rule, int width) {
        return new TextTable(List.of(
                        List.of("rule of thumb", "F32", "mixed precision"),
                        row("weights, 4N or 2N", rule::weightBytes),
                        row("gradients, 4N or 2N", rule::gradientBytes),
                        row("optimizer, 8N or 12N", rule::optimizerBytes),
                        row("total, 16N", _ -> rule.modelBytes()),
                        row("activations, s·b·d·L·k", rule::activationBytes)))
                .lines(width);
    }

    private static List<String> row(String name, ToLongFunction<Precision> bytes) {
        return List.of(name, bytes(bytes.applyAsLong(Precision.F32)), bytes(bytes.applyAsLong(Precision.MIXED)));
    }

    /** Returns the name of a category for tables. */
    public static String name(MemoryCategory category) {
        return category == MemoryCategory.OPTIMIZER_STATE
                ? "optimizer"
                : category.name().toLowerCase(Locale.ROOT);
    }

    private static String bytes(@Nullable Long bytes) {
        return bytes == null || bytes == 0 ? NOTHING : Bytes.format(bytes);
    }
}
