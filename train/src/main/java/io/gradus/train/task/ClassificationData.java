package io.gradus.train.task;

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
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

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

    /** Reads the files. */
    static ClassificationData read(Recipe recipe) throws IOException {
        TaskExamples<LabeledExample> examples =
                TaskExamples.read(recipe, path -> LabeledExamples.read(path, columns(recipe)), LabeledExample::labels);
        return new ClassificationData(recipe, examples.training(), examples.heldOut());
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
