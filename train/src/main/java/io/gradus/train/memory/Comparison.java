package io.gradus.train.memory;

import io.gradus.core.MemoryCategory;
import io.gradus.train.Architecture;
import io.gradus.train.Recipe;
import io.gradus.train.report.StackedBars;
import io.gradus.train.report.StackedBars.Bar;
import io.gradus.train.report.StackedBars.Part;
import java.util.List;
import java.util.stream.Stream;

/** What a model takes with other settings. */
public final class Comparison {
    private Comparison() {}

    /** One way to train it. */
    public record Row(String name, MemoryPlan plan) {}

    /** Plans of a recipe, its own savings left out, with each of {@link Variant#SETTINGS}. */
    public static List<Row> of(Recipe recipe, Architecture architecture) {
        Recipe plain = withoutSavings(recipe);
        return Variant.SETTINGS.stream()
                .map(variant -> new Row(variant.name(), MemoryPlan.of(variant.of(plain), architecture, false)))
                .toList();
    }

    /** The recipe in F32 and with nothing computed twice or in parts; its optimiser stays. */
    public static Recipe withoutSavings(Recipe recipe) {
        return Recipe.parse(
                recipe.toYaml(),
                "precision=f32",
                "activation_checkpointing=false",
                "step_in_backward=false",
                "loss_chunk=null");
    }

    /** The rows as a chart, an SVG file. */
    public static String svg(String title, List<Row> rows) {
        return new StackedBars(title, rows.stream().map(Comparison::bar).toList()).svg();
    }

    private static Bar bar(Row row) {
        return new Bar(
                row.name(),
                Stream.of(MemoryCategory.values())
                        .map(category -> new Part(
                                MemoryTable.name(category), row.plan().atPeak().getOrDefault(category, 0L)))
                        .toList());
    }
}
