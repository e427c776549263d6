package io.gradus.train.task;

import io.gradus.core.Philox;
import io.gradus.data.ExampleColumns;
import io.gradus.data.LabeledExample;
import io.gradus.data.LabeledExamples;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.ProblemType;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The examples of a recipe.
 *
 * @param training at least one
 * @param heldOut at least one
 */
record ClassificationData(Recipe recipe, List<LabeledExample> training, List<LabeledExample> heldOut) {
    private static final String WHOLE_NUMBER = "[-+]?[0-9]{1,9}";
    private static final String NUMBER = "[-+]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][-+]?[0-9]+)?";
    private static final int FEW = 10;

    /** Reads the files. Without {@code data.eval}, a part of the examples of each file is held out, always the same. */
    static ClassificationData read(Recipe recipe) throws IOException {
        Recipe.Data data = recipe.data();
        if (data.trained().isEmpty()) {
            throw new RecipeException("data.train is missing: name the examples to train on, data.train=reviews.csv");
        }
        if (data.sources().stream().anyMatch(source -> source.weight() != null)) {
            throw new RecipeException("data.sources: weights have no effect on a classifier; remove them, and use"
                    + " classification.class_weights for classes that are rare");
        }
        List<LabeledExample> training = new ArrayList<>();
        List<LabeledExample> heldOut = new ArrayList<>();
        for (Path path : data.trained()) {
            List<LabeledExample> all = List.copyOf(LabeledExamples.read(path, columns(recipe)));
            if (data.eval() == null) {
                Set<Integer> held = held(all, data.validationSplit());
                for (int i = 0; i < all.size(); i++) {
                    (held.contains(i) ? heldOut : training).add(all.get(i));
                }
            } else {
                training.addAll(all);
            }
        }
        if (data.eval() != null) {
            heldOut.addAll(LabeledExamples.read(data.eval(), columns(recipe)));
        } else if (heldOut.isEmpty() || training.isEmpty()) {
            throw new RecipeException("data.validation_split=" + data.validationSplit() + " of "
                    + (training.size() + heldOut.size()) + " examples leaves none to "
                    + (heldOut.isEmpty() ? "evaluate" : "train") + " on; add examples, or set data.eval to a file");
        }
        return new ClassificationData(recipe, training, spaced(heldOut, recipe.maxEvalBlocks()));
    }

    private static ExampleColumns columns(Recipe recipe) {
        Recipe.Data data = recipe.data();
        ProblemType type = recipe.classification().problemType();
        return new ExampleColumns(
                data.textColumn(),
                data.textPairColumn(),
                data.labelColumn(),
                type == ProblemType.MULTI_LABEL_CLASSIFICATION
                        ? ExampleColumns.Labels.SEVERAL
                        : type == null ? ExampleColumns.Labels.AUTO : ExampleColumns.Labels.ONE);
    }

    /**
     * The examples to hold out: the same part of each class, or of all if that leaves none. Of every 1/h examples one is chosen at
     * random, so that neither a sorted file nor one in which classes alternate is a problem.
     *
     * @param part h, between 0 and 1
     */
    private static Set<Integer> held(List<LabeledExample> examples, double part) {
        Map<List<String>, List<Integer>> classes = new LinkedHashMap<>();
        for (int i = 0; i < examples.size(); i++) {
            classes.computeIfAbsent(examples.get(i).labels(), _ -> new ArrayList<>())
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

    private static List<LabeledExample> spaced(List<LabeledExample> examples, @Nullable Integer most) {
        if (most == null || examples.size() <= most) {
            return examples;
        }
        return Stream.iterate(0L, i -> i < most, i -> i + 1)
                .map(i -> examples.get((int) (i * examples.size() / most)))
                .toList();
    }

    // ---- labels ----

    /**
     * The labels: those of the model to start from, in its order, if it is a classifier with the same ones; else sorted, numbers by
     * their value.
     *
     * @throws RecipeException if the examples do not fit the problem
     */
    Labels labels(ModelFolder base) throws IOException {
        ProblemType type = problemType();
        if (type == ProblemType.REGRESSION) {
            requireNumbers();
            return new Labels(List.of(name()), type);
        }
        Set<String> used = new HashSet<>();
        training.forEach(example -> used.addAll(example.labels()));
        for (LabeledExample example : heldOut) {
            for (String label : example.labels()) {
                if (!used.contains(label)) {
                    throw new RecipeException(
                            "the held-out examples have the label '" + label + "', which no training example has");
                }
            }
        }
        boolean single = type == ProblemType.SINGLE_LABEL_CLASSIFICATION;
        if (used.size() < (single ? 2 : 1)) {
            throw new RecipeException("the training examples have "
                    + (used.isEmpty() ? "no label" : "the label " + used + " only")
                    + "; a classifier needs at least two");
        }
        if (base.savedHead() instanceof Head.SequenceClassification(Labels saved)
                && new HashSet<>(saved.names()).equals(used)) {
            return new Labels(saved.names(), type);
        }
        boolean numbers = used.stream().allMatch(label -> label.matches(WHOLE_NUMBER));
        Comparator<String> order = numbers ? Comparator.comparingInt(Integer::parseInt) : Comparator.naturalOrder();
        return new Labels(used.stream().sorted(order).toList(), type);
    }

    private String name() {
        String column = recipe.data().labelColumn();
        return column == null ? "label" : column;
    }

    private Stream<LabeledExample> all() {
        return Stream.concat(training.stream(), heldOut.stream());
    }

    /** The recipe's, or else that of the data: several labels, numbers of which some are not whole, or one of several classes. */
    private ProblemType problemType() {
        ProblemType given = recipe.classification().problemType();
        boolean single = all().allMatch(example -> example.labels().size() == 1);
        if (given != null) {
            return given;
        }
        if (!single) {
            return ProblemType.MULTI_LABEL_CLASSIFICATION;
        }
        boolean numbers = all().allMatch(example -> example.labels().getFirst().matches(NUMBER));
        boolean whole = all().allMatch(example -> example.labels().getFirst().matches(WHOLE_NUMBER));
        return numbers && !whole ? ProblemType.REGRESSION : ProblemType.SINGLE_LABEL_CLASSIFICATION;
    }

    private void requireNumbers() {
        List<String> others = all().map(example -> example.labels().getFirst())
                .filter(label -> !label.matches(NUMBER))
                .distinct()
                .limit(FEW)
                .toList();
        if (!others.isEmpty()) {
            throw new RecipeException(
                    "classification.problem_type=regression needs numbers as labels, and there are " + others);
        }
    }
}
