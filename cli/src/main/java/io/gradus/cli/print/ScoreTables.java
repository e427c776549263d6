package io.gradus.cli.print;

import io.gradus.train.task.ClassScore;
import io.gradus.train.task.Scores;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The scores of a classifier as text. */
public final class ScoreTables {
    /** Larger confusion matrices are not readable. */
    private static final int MOST_CLASSES = 12;

    private ScoreTables() {}

    /** Returns the metrics in one line, each with a gap in front; empty if there are none. */
    public static String line(Scores scores) {
        StringBuilder line = new StringBuilder();
        scores.metrics()
                .forEach((metric, value) -> line.append("  ")
                        .append(metric.replace('_', ' '))
                        .append(' ')
                        .append(number(value)));
        return line.toString();
    }

    /** Returns the tables of the classes and of their confusion; none without classes. */
    public static List<TextTable> of(Scores scores) {
        if (scores.classes().isEmpty()) {
            return List.of();
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("class", "precision", "recall", "F1", "examples"));
        for (ClassScore each : scores.classes()) {
            rows.add(List.of(
                    each.label(),
                    number(each.precision()),
                    number(each.recall()),
                    number(each.f1()),
                    String.format(Locale.ROOT, "%,d", each.support())));
        }
        List<TextTable> tables = new ArrayList<>();
        tables.add(new TextTable(rows));
        if (!scores.confusion().isEmpty() && scores.confusion().size() <= MOST_CLASSES) {
            tables.add(confusion(scores));
        }
        return tables;
    }

    private static TextTable confusion(Scores scores) {
        List<String> names = scores.classes().stream().map(ClassScore::label).toList();
        List<List<String>> rows = new ArrayList<>();
        List<String> heading = new ArrayList<>(List.of("class, predicted as"));
        heading.addAll(names);
        rows.add(heading);
        for (int row = 0; row < names.size(); row++) {
            List<String> cells = new ArrayList<>(List.of(names.get(row)));
            scores.confusion().get(row).forEach(count -> cells.add(String.format(Locale.ROOT, "%,d", count)));
            rows.add(cells);
        }
        return new TextTable(rows);
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, "%.4f", value);
    }
}
