package io.gradus.train.task;

import io.gradus.core.Philox;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The examples that a recipe names, to train on and to evaluate on.
 *
 * @param training at least one
 * @param heldOut at least one
 */
record TaskExamples<T>(List<T> training, List<T> heldOut) {

    /** Reads the examples of a file or a folder. */
    @FunctionalInterface
    interface Reader<T> {
        Collection<T> read(Path path) throws IOException;
    }

    /**
     * Reads the files. Without {@code data.eval}, a part of the examples of each file is held out, always the same.
     *
     * @param classOf the class of an example; the same part of each class is held out
     */
    static <T> TaskExamples<T> read(Recipe recipe, Reader<T> reader, Function<T, Object> classOf) throws IOException {
        Recipe.Data data = recipe.data();
        if (data.trained().isEmpty()) {
            throw new RecipeException("data.train is missing: name the examples to train on, data.train=examples.csv");
        }
        if (data.sources().stream().anyMatch(source -> source.weight() != null)) {
            throw new RecipeException(
                    "data.sources: weights have no effect with task=" + recipe.task() + "; remove them");
        }
        List<T> training = new ArrayList<>();
        List<T> heldOut = new ArrayList<>();
        for (Path path : data.trained()) {
            List<T> all = List.copyOf(reader.read(path));
            if (data.eval() == null) {
                Set<Integer> held = held(all, data.validationSplit(), classOf);
                for (int i = 0; i < all.size(); i++) {
                    (held.contains(i) ? heldOut : training).add(all.get(i));
                }
            } else {
                training.addAll(all);
            }
        }
        if (data.eval() != null) {
            heldOut.addAll(reader.read(data.eval()));
        } else if (heldOut.isEmpty() || training.isEmpty()) {
            throw new RecipeException("data.validation_split=" + data.validationSplit() + " of "
                    + (training.size() + heldOut.size()) + " examples leaves none to "
                    + (heldOut.isEmpty() ? "evaluate" : "train") + " on; add examples, or set data.eval to a file");
        }
        return new TaskExamples<>(training, spaced(heldOut, recipe.maxEvalBlocks()));
    }

    /**
     * The examples to hold out: the same part of each class, or of all if that leaves none. Of every 1/h examples one is chosen at
     * random, so that neither a sorted file nor one in which classes alternate is a problem.
     *
     * @param part h, between 0 and 1
     */
    private static <T> Set<Integer> held(List<T> examples, double part, Function<T, Object> classOf) {
        Map<Object, List<Integer>> classes = new LinkedHashMap<>();
        for (int i = 0; i < examples.size(); i++) {
            classes.computeIfAbsent(classOf.apply(examples.get(i)), _ -> new ArrayList<>())
                    .add(i);
        }
        Set<Integer> held = new HashSet<>();
        int place = 0;
        for (List<Integer> members : classes.values()) {
            held.addAll(chosen(members, part, place++));
        }
        return held.isEmpty()
                ? chosen(IntStream.range(0, examples.size()).boxed().toList(), part, 0)
                : held;
    }

    private static Set<Integer> chosen(List<Integer> members, double part, int place) {
        Set<Integer> chosen = new HashSet<>();
        int count = (int) Math.floor(members.size() * part);
        for (int i = 0; i < count; i++) {
            int from = (int) Math.floor(i / part);
            int to = Math.min(members.size(), (int) Math.floor((i + 1) / part));
            chosen.add(members.get(from + Philox.below(new Philox.Key(0, 0, place), i, to - from)));
        }
        return chosen;
    }

    private static <T> List<T> spaced(List<T> examples, @Nullable Integer most) {
        if (most == null || examples.size() <= most) {
            return examples;
        }
        return Stream.iterate(0L, i -> i < most, i -> i + 1)
                .map(i -> examples.get((int) (i * examples.size() / most)))
                .toList();
    }
}
