package io.gradus.train.memory;

import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;

/** Rejects a run that does not fit in memory, and finds settings that fit. */
public final class MemoryFit {
    private static final int SHORTEST_BLOCK = 32;

    private final Recipe recipe;
    private final Function<Recipe, MemoryPlan> planner;
    private final long capacity;

    private MemoryFit(Recipe recipe, Function<Recipe, MemoryPlan> planner, long capacity) {
        this.recipe = recipe;
        this.planner = planner;
        this.capacity = capacity;
    }

    /** Other settings with their plan. */
    private record Way(Variant settings, MemoryPlan plan) {}

    /**
     * Checks that a run fits a device.
     *
     * @param plan of this recipe
     * @param planner plans the memory of another recipe
     * @throws RecipeException if it does not; shows the plan, and settings whose plans fit
     */
    public static void require(MemoryPlan plan, Recipe recipe, Function<Recipe, MemoryPlan> planner, Device device) {
        require(plan, recipe, planner, device.backend().capacity(), device.toString());
    }

    /** {@link #require(MemoryPlan, Recipe, Function, Device)} for a device with this many bytes. */
    static void require(
            MemoryPlan plan, Recipe recipe, Function<Recipe, MemoryPlan> planner, long capacity, String device) {
        if (needed(plan) > capacity) {
            List<String> lines = new ArrayList<>();
            lines.add("the run needs " + Bytes.format(needed(plan)) + ", and " + device + " has "
                    + Bytes.format(capacity)
                    + (plan.process().bytes() > 0 ? " beside the Java heap" : " for tensors"));
            lines.add("");
            new TreeMap<>(plan.atPeak()).forEach((category, bytes) -> lines.add(line(bytes, name(category))));
            beside(plan).forEach((part, bytes) -> lines.add(line(bytes, part)));
            lines.add("the optimizer state consists of");
            plan.optimizerState().forEach((buffer, bytes) -> lines.add(line(bytes, buffer)));
            lines.add("");
            lines.addAll(new MemoryFit(recipe, planner, capacity).advice(plan));
            throw new RecipeException(String.join(System.lineSeparator(), lines));
        }
    }

    /** What must fit: all but the heap, which the capacity leaves out. */
    private static long needed(MemoryPlan plan) {
        return plan.nativeBytes();
    }

    private static Map<String, Long> beside(MemoryPlan plan) {
        Map<String, Long> parts = plan.process().nativeParts();
        parts.values().removeIf(bytes -> bytes == 0);
        return parts;
    }

    private static String line(long bytes, String text) {
        return String.format(Locale.ROOT, "%8s   %s", Bytes.format(bytes), text);
    }

    private static String name(MemoryCategory category) {
        return category.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private List<String> advice(MemoryPlan plan) {
        List<Way> ways = Stream.concat(
                        Stream.of(smallerBatch(), smallerBlock(plan.blockLength()))
                                .flatMap(Optional::stream),
                        Variant.SETTINGS.stream().flatMap(variant -> way(variant).stream()))
                .toList();
        List<Way> fitting = ways.stream().filter(this::fits).toList();
        if (fitting.isEmpty()) {
            fitting = Variant.SETTINGS.stream()
                    .flatMap(variant -> way(smallest(variant, plan.blockLength())).stream())
                    .filter(this::fits)
                    .toList();
        }
        if (fitting.isEmpty()) {
            long least = Variant.SETTINGS.stream()
                    .flatMap(variant -> way(smallest(variant, plan.blockLength())).stream())
                    .map(way -> needed(way.plan))
                    .min(Comparator.naturalOrder())
                    .orElse(needed(plan));
            return List.of("No settings make it fit; the smallest plan needs " + Bytes.format(least)
                    + ". Use a smaller model, or more memory.");
        }
        List<String> lines = new ArrayList<>(List.of("These settings would fit:"));
        fitting.forEach(way -> lines.add(line(needed(way.plan), String.join(" ", way.settings.overrides()))));
        return lines;
    }

    private boolean fits(Way way) {
        return needed(way.plan) <= capacity;
    }

    /** The settings with their plan; empty if they contradict the recipe. */
    private Optional<Way> way(Variant settings) {
        try {
            return Optional.of(new Way(settings.adaptedTo(recipe), planner.apply(settings.of(recipe))));
        } catch (RecipeException e) {
            return Optional.empty();
        }
    }

    /** Smaller batches that fit, with gradient accumulation in their place. */
    private Optional<Way> smallerBatch() {
        return Stream.iterate(recipe.batchSize() / 2, size -> size >= 1, size -> size / 2)
                .flatMap(size -> way(new Variant(
                                "",
                                "batch_size=" + size,
                                "gradient_accumulation_steps="
                                        + Math.ceilDiv(
                                                (long) recipe.batchSize() * recipe.gradientAccumulationSteps(), size)))
                        .stream())
                .filter(this::fits)
                .findFirst();
    }

    private Optional<Way> smallerBlock(int blockLength) {
        return Stream.iterate(blockLength / 2, length -> length >= SHORTEST_BLOCK, length -> length / 2)
                .flatMap(length -> way(new Variant("", "data.max_seq_len=" + length)).stream())
                .filter(this::fits)
                .findFirst();
    }

    /** Settings with one short block per batch. */
    private static Variant smallest(Variant settings, int blockLength) {
        List<String> overrides = new ArrayList<>(settings.overrides());
        overrides.add("batch_size=1");
        overrides.add("data.max_seq_len=" + Math.min(blockLength, SHORTEST_BLOCK));
        return new Variant(settings.name(), overrides);
    }
}
