package io.gradus.train.study;

import io.gradus.core.cpu.CpuBackend;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener;
import io.gradus.train.checkpoint.OutputFolder;
import io.gradus.train.memory.Variant;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The common run of a study, with a folder for each variant.
 *
 * @param recipe common to all variants
 * @param folder of the study
 * @param runs starts the run of a recipe
 */
record StudyRuns(Recipe recipe, Path folder, Function<Recipe, FineTuning.Builder> runs) {
    static final String RECIPE = "recipe.yaml";

    /**
     * Creates the folder.
     *
     * @throws IOException if the folder is not empty
     */
    static StudyRuns begin(Recipe recipe, Path folder, Function<Recipe, FineTuning.Builder> runs) throws IOException {
        if (recipe.output() != null) {
            throw new RecipeException("the study sets output for each run; leave it out");
        }
        if (recipe.steps() == null) {
            throw new RecipeException("steps is missing: all runs of a study have the same number of steps, steps=150");
        }
        if (recipe.epochs() != null) {
            throw new RecipeException("epochs is " + recipe.epochs() + ", but a study uses steps; leave epochs out");
        }
        requireEmpty(folder);
        // With a number of threads, each run gets a device of its own, which counts only that run's memory.
        int threads = recipe.threads() == null ? CpuBackend.defaultThreads() : recipe.threads();
        Recipe common =
                with(recipe, List.of("threads=" + threads, "sample.max_tokens=0", "save_steps=0", "resume=false"));
        return new StudyRuns(common, folder, runs);
    }

    /**
     * Creates the folder of a study.
     *
     * @throws IOException if it is not empty
     */
    static void requireEmpty(Path folder) throws IOException {
        Files.createDirectories(folder);
        try (Stream<Path> found = Files.list(folder)) {
            if (found.anyMatch(file -> !file.endsWith(OutputFolder.LOCK))) {
                throw new IOException(folder + " is not empty; name another folder");
            }
        }
    }

    StudyRuns with(String... keys) {
        return new StudyRuns(with(recipe, List.of(keys)), folder, runs);
    }

    private static Recipe with(Recipe recipe, List<String> keys) {
        return new Variant("", keys).of(recipe);
    }

    Recipe of(Variant variant) {
        return variant.of(recipe);
    }

    /** Runs a variant. */
    RunResult run(Variant variant, TrainingListener... listeners) throws IOException {
        return runs.apply(with(of(variant), List.of("output=" + folder.resolve(slug(variant)))))
                .listeners(listeners)
                .build()
                .run();
    }

    private static String slug(Variant variant) {
        return variant.name()
                .toLowerCase(Locale.ROOT)
                .replace('λ', 'l')
                .replace('ξ', 'x')
                .replaceAll("[^\\p{Alnum}.]+", "-")
                .replaceAll("^-|-$", "");
    }
}
