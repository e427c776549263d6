package io.gradus.train.study;

import io.gradus.core.cpu.CpuBackend;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
import io.gradus.train.TrainingListener;
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
 * The run that a study makes again and again, in a folder of its own for each variant.
 *
 * @param recipe of all of them
 * @param folder of the study
 * @param runs makes the run of a recipe
 */
record StudyRuns(Recipe recipe, Path folder, Function<Recipe, FineTuning.Builder> runs) {
    static final String RECIPE = "recipe.yaml";

    /**
     * Makes the folder and writes what the variants have in common.
     *
     * @throws IOException when the folder has something in it: it might be taken for this study's
     */
    static StudyRuns begin(Recipe recipe, Path folder, Function<Recipe, FineTuning.Builder> runs) throws IOException {
        if (recipe.output() != null) {
            throw new RecipeException("output is the study's folder, which holds one for each run; leave it out");
        }
        if (recipe.steps() == null) {
            throw new RecipeException("steps is missing: the runs of a study have equally many, steps=150");
        }
        if (recipe.epochs() != null) {
            throw new RecipeException("epochs is " + recipe.epochs()
                    + ", and the runs of a study are told how many steps they make; leave it out");
        }
        Files.createDirectories(folder);
        try (Stream<Path> found = Files.list(folder)) {
            if (found.findAny().isPresent()) {
                throw new IOException(folder + " is not empty; name another folder");
            }
        }
        // A device of its own for each run, by the number of threads: it counts that run's memory and no other's.
        int threads = recipe.threads() == null ? CpuBackend.defaultThreads() : recipe.threads();
        Recipe common =
                with(recipe, List.of("threads=" + threads, "sample.max_tokens=0", "save_steps=0", "resume=false"));
        return new StudyRuns(common, folder, runs);
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

    /** Makes the variant's run, to its end. */
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
