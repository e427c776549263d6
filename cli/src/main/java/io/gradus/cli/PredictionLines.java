package io.gradus.cli;

import io.gradus.data.LabeledExample;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What {@code gradus predict} writes. */
interface PredictionLines {
    /** The first line; empty in JSON. */
    Optional<String> header(LabeledExample first);

    /** The lines of texts. */
    List<String> of(List<LabeledExample> examples);

    /** A row of CSV (RFC 4180). */
    static String row(List<String> cells) {
        return cells.stream()
                .map(cell -> cell.matches("(?s).*[\",\n\r].*|\\s.*") ? '"' + cell.replace("\"", "\"\"") + '"' : cell)
                .collect(Collectors.joining(","));
    }
}
