package io.gradus.examples;

import io.gradus.corpora.BuiltInModel;
import io.gradus.data.serve.Classifier;
import io.gradus.data.serve.Prediction;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Trains a classifier of texts, and uses it. The built-in Llama gets a layer that tells reports of bugs from requests for features,
 * and all weights are trained.
 *
 * <p>{@code ./gradus example TextClassifier [DATA [OUTPUT]]}, where DATA is a .csv file with the columns text and label
 */
public final class TextClassifier {
    private static final List<String> NEW =
            List.of("The page is empty after I log in.", "Please let me change the color of the labels.");

    private TextClassifier() {}

    public static void main(String[] args) throws IOException {
        Path data = Path.of(args.length > 0 ? args[0] : "examples/data/issues.csv");
        Path output = Path.of(args.length > 1 ? args[1] : "runs/issues");

        Recipe recipe = Recipe.builder()
                .task(Recipe.TaskKind.SEQUENCE_CLASSIFICATION)
                .train(data)
                .epochs(6.0)
                .output(output)
                .build();
        RunResult result =
                FineTuning.builder(recipe).model(BuiltInModel.folder()).build().run();
        result.scores().forEach((text, scores) -> System.out.println(text + ": " + scores.metrics()));

        Classifier classifier = Classifier.load(output); // threads may share it
        for (Prediction prediction : classifier.classify(NEW)) {
            System.out.println(prediction.label() + "  " + prediction.scores());
        }
    }
}
