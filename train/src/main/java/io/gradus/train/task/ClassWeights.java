package io.gradus.train.task;

import io.gradus.data.LabeledExample;
import io.gradus.nn.model.Labels;
import io.gradus.train.recipe.RecipeException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The weights of classes in the loss: the recipe's {@code classification.class_weights}. */
final class ClassWeights {
    private static final String KEY = "classification.class_weights";

    private ClassWeights() {}

    /**
     * The weight of each class; null if there are none.
     *
     * <p>{@code balanced} is n / (k·nᵢ) for a class with nᵢ of n examples and k classes (King &amp; Zeng 2001), as in scikit-learn.
     *
     * @param given {@code balanced}, or {@code label=factor}; a label that is not named has 1
     */
    static float @Nullable [] of(List<String> given, Labels labels, List<LabeledExample> training) {
        if (given.isEmpty()) {
            return null;
        }
        float[] weights = new float[labels.size()];
        if (given.equals(List.of("balanced"))) {
            for (int i = 0; i < weights.length; i++) {
                String label = labels.names().get(i);
                long count = training.stream()
                        .filter(example -> example.labels().contains(label))
                        .count();
                weights[i] = (float) training.size() / (weights.length * Math.max(1, count));
            }
            return weights;
        }
        Arrays.fill(weights, 1);
        for (String each : given) {
            int equals = each.lastIndexOf('=');
            int id = equals < 0 ? -1 : labels.id(each.substring(0, equals).strip());
            if (id < 0) {
                throw new RecipeException(KEY + " has '" + each
                        + "'; it must be balanced, or label=factor, with the labels " + labels.names());
            }
            weights[id] = factor(each.substring(equals + 1).strip(), each);
        }
        return weights;
    }

    private static float factor(String text, String each) {
        try {
            float factor = Float.parseFloat(text);
            if (factor > 0 && Float.isFinite(factor)) {
                return factor;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw new RecipeException(KEY + " has '" + each + "'; the factor must be a number above 0");
    }
}
