package io.gradus.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.data.LabeledExample;
import io.gradus.data.serve.Classifier;
import io.gradus.data.serve.Prediction;
import io.gradus.nn.model.ProblemType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/** Writes texts with their labels, one per line. */
record LabelLines(Classifier classifier, boolean csv) implements PredictionLines {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public List<String> of(List<LabeledExample> examples) {
        List<Prediction> predictions = classifier.classifyPairs(examples.stream()
                .map(example -> new Classifier.Pair(example.text(), example.pair()))
                .toList());
        return IntStream.range(0, examples.size())
                .mapToObj(
                        i -> csv ? csv(examples.get(i), predictions.get(i)) : json(examples.get(i), predictions.get(i)))
                .toList();
    }

    @Override
    public Optional<String> header(LabeledExample first) {
        if (!csv) {
            return Optional.empty();
        }
        List<String> cells = new ArrayList<>(List.of("text"));
        if (first.pair() != null) {
            cells.add("text_pair");
        }
        switch (classifier.labels().problemType()) {
            case SINGLE_LABEL_CLASSIFICATION -> cells.add("label");
            case MULTI_LABEL_CLASSIFICATION -> cells.add("labels");
            case REGRESSION -> {}
        }
        cells.addAll(classifier.labels().names());
        return Optional.of(PredictionLines.row(cells));
    }

    private String csv(LabeledExample example, Prediction prediction) {
        List<String> cells = new ArrayList<>(List.of(example.text()));
        if (example.pair() != null) {
            cells.add(example.pair());
        }
        if (classifier.labels().problemType() != ProblemType.REGRESSION) {
            cells.add(String.join(",", prediction.labels()));
        }
        prediction.scores().values().forEach(score -> cells.add(String.format(Locale.ROOT, "%.6f", score)));
        return PredictionLines.row(cells);
    }

    private String json(LabeledExample example, Prediction prediction) {
        ObjectNode json = JSON.createObjectNode().put("text", example.text());
        if (example.pair() != null) {
            json.put("text_pair", example.pair());
        }
        switch (classifier.labels().problemType()) {
            case SINGLE_LABEL_CLASSIFICATION -> json.put("label", prediction.label());
            case MULTI_LABEL_CLASSIFICATION -> json.set("labels", JSON.valueToTree(prediction.labels()));
            case REGRESSION -> {}
        }
        json.set("scores", JSON.valueToTree(prediction.scores()));
        return json.toString();
    }
}
