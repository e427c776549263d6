package io.gradus.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.data.LabeledExample;
import io.gradus.data.serve.TokenClassifier;
import io.gradus.data.serve.TokenClassifier.Span;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** Writes the names that were found in texts: in CSV a line for each name, in JSON a line for each text. */
record EntityLines(TokenClassifier classifier, boolean csv) implements PredictionLines {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public Optional<String> header(LabeledExample first) {
        return csv
                ? Optional.of(PredictionLines.row(List.of("text", "start", "end", "type", "name", "score")))
                : Optional.empty();
    }

    @Override
    public List<String> of(List<LabeledExample> examples) {
        return examples.stream()
                .map(LabeledExample::text)
                .flatMap(text -> csv ? rows(text) : Stream.of(json(text)))
                .toList();
    }

    private Stream<String> rows(String text) {
        return classifier.entities(text).stream()
                .map(span -> PredictionLines.row(List.of(
                        text,
                        Integer.toString(span.start()),
                        Integer.toString(span.end()),
                        span.type(),
                        span.text(),
                        String.format(Locale.ROOT, "%.6f", span.score()))));
    }

    private String json(String text) {
        ObjectNode json = JSON.createObjectNode().put("text", text);
        ArrayNode entities = json.putArray("entities");
        for (Span span : classifier.entities(text)) {
            entities.addObject()
                    .put("type", span.type())
                    .put("text", span.text())
                    .put("start", span.start())
                    .put("end", span.end())
                    .put("score", span.score());
        }
        return json.toString();
    }
}
