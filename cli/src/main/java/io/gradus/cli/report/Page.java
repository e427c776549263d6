package io.gradus.cli.report;

import com.samskivert.mustache.Mustache;
import io.gradus.cli.print.Quantities;
import io.gradus.cli.print.ScoreTables;
import io.gradus.cli.report.Panels.Panel;
import io.gradus.core.MemoryCategory;
import io.gradus.corpora.Corpus;
import io.gradus.train.TrainingListener.Plan;
import io.gradus.train.TrainingListener.Sample;
import io.gradus.train.memory.Bytes;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.task.Scores;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The values of the template {@code report.html}. All of them are plain text, which the template escapes, except the SVG
 * of the panels.
 */
record Page(
        String model,
        String text,
        String parameters,
        String steps,
        String date,
        boolean complete,
        List<Tile> tiles,
        List<String> remarks,
        List<Panel> panels,
        List<Score> scores,
        boolean calibrated,
        List<List<Row>> tables,
        List<Written> samples,
        String memoryTotal,
        String memoryPlanned,
        String processMemory,
        List<Share> memory,
        List<Fact> facts,
        String python,
        String shell,
        String recipe) {

    /** A headline figure; {@code direction} is "better", "worse" or empty. */
    record Tile(String heading, String before, String after, String change, String direction, String note) {}

    /** A text that the model generated. */
    record Written(String heading, String prompt, String text) {}

    /** A part of the peak memory; {@code at} and {@code width} are in thousandths of the bar. */
    record Share(
            String style,
            String name,
            String what,
            String planned,
            String bytes,
            String percent,
            String at,
            String width) {}

    record Fact(String name, String value) {}

    /** A metric of the saved model. */
    record Score(String name, String value) {}

    /** A row of a table about classes; the first one is the heading. */
    record Row(String name, List<String> cells) {}

    static Page of(Plan plan, Standing standing, Metrics metrics, ZonedDateTime now, String java) {
        Map<MemoryCategory, Long> peakBytes = standing.peakBytes();
        Recipe recipe = plan.recipe();
        String model = name(recipe.model().path(), "Gradus’s built-in byte-level Llama");
        List<Path> trained = recipe.data().trained();
        String text = trained.isEmpty()
                ? Corpus.CODE.title()
                : trained.stream().map(path -> name(path, "")).collect(Collectors.joining(" and "));
        long total = peakBytes.values().stream().mapToLong(Long::longValue).sum();
        return new Page(
                model,
                text,
                trained(plan),
                steps(plan, standing),
                now.format(DateTimeFormatter.ofPattern("d MMMM uuuu, HH:mm", Locale.ROOT)),
                standing.isFinished(),
                tiles(plan, standing, metrics),
                Remarks.of(metrics, standing, recipe.task()),
                new Panels(metrics, plan.steps()).all(),
                scores(standing),
                scores(standing).stream().anyMatch(score -> score.name().equals("temperature")),
                tables(standing),
                samples(metrics),
                Bytes.format(total),
                Bytes.format(plan.memory().peakBytes()),
                process(plan.memory(), standing),
                memory(plan.memory().atPeak(), peakBytes, total),
                facts(plan, standing, metrics, java),
                Snippets.python(recipe.task(), plan.output(), prompt(metrics)),
                Snippets.shell(recipe.task(), plan.output(), prompt(metrics)),
                recipe.toYaml().replaceFirst("^---\n", "").strip());
    }

    private static boolean isClassifier(Recipe recipe) {
        return recipe.task().readsExamples();
    }

    /** Returns the metrics on held-out text. */
    private static List<Score> scores(Standing standing) {
        List<Score> all = new ArrayList<>();
        Scores heldOut = standing.scores().getOrDefault("held_out", Scores.NONE);
        heldOut.metrics()
                .forEach((name, value) -> all.add(new Score(
                        name.replace('_', ' '), value.isNaN() ? "–" : String.format(Locale.ROOT, "%.4f", value))));
        return all;
    }

    private static List<List<Row>> tables(Standing standing) {
        return ScoreTables.of(standing.scores().getOrDefault("held_out", Scores.NONE)).stream()
                .map(table -> table.rows().stream()
                        .map(row -> new Row(row.getFirst(), row.subList(1, row.size())))
                        .toList())
                .toList();
    }

    private static String steps(Plan plan, Standing standing) {
        return (standing.isFinished() ? "" : Quantities.grouped(standing.steps()) + " of ")
                + Quantities.counted(plan.steps(), "step");
    }

    private static String trained(Plan plan) {
        String parameters = Quantities.grouped(plan.memory().parameters()) + " parameters";
        return plan.trainsAll()
                ? "All " + parameters + " were"
                : Quantities.grouped(plan.trained()) + " of " + parameters + " were";
    }

    /** Returns the last part of a path. */
    static String name(@Nullable Path path, String otherwise) {
        return path == null
                ? otherwise
                : Objects.requireNonNullElse(path.toAbsolutePath().normalize().getFileName(), path)
                        .toString();
    }

    private static List<Tile> tiles(Plan plan, Standing standing, Metrics metrics) {
        List<Tile> tiles = new ArrayList<>();
        tiles.add(loss("Loss on held-out text", metrics.evaluation("held_out", standing), plan.recipe()));
        Curve general = metrics.evaluation("general", standing);
        if (!general.points().isEmpty()) {
            tiles.add(loss("Loss on general text", general, plan.recipe()));
        }
        double seconds = metrics.seconds();
        tiles.add(new Tile("Training time", "", Quantities.duration(seconds), "", "", steps(plan, standing)));
        String unit = plan.recipe().task().target();
        tiles.add(new Tile(
                unit.substring(0, 1).toUpperCase(Locale.ROOT) + unit.substring(1) + "s per second",
                "",
                seconds > 0 ? Quantities.grouped(Math.round(metrics.tokens() / seconds)) : "–",
                "",
                "",
                Quantities.counted(metrics.tokens(), unit)));
        return tiles;
    }

    private static Tile loss(String heading, Curve losses, Recipe recipe) {
        if (losses.points().isEmpty()) {
            return new Tile(heading, "", "–", "", "", "not evaluated");
        }
        double before = losses.points().getFirst().value();
        double after = losses.points().getLast().value();
        String change = Quantities.change(before, after);
        String direction = change.startsWith("−") ? "better" : change.startsWith("+") ? "worse" : "";
        String perplexity = "perplexity " + Quantities.threeDigits(Math.exp(before)) + " → "
                + Quantities.threeDigits(Math.exp(after));
        String note = isClassifier(recipe) ? "mean over the " + recipe.task().target() + "s" : perplexity;
        return new Tile(heading, Quantities.loss(before), Quantities.loss(after), change, direction, note);
    }

    /** Returns the first and the last sample. */
    private static List<Written> samples(Metrics metrics) {
        if (metrics.samples().isEmpty()) {
            return List.of();
        }
        Sample first = metrics.samples().firstEntry().getValue();
        Sample last = metrics.samples().lastEntry().getValue();
        return first.step() == last.step() ? List.of(written(first)) : List.of(written(first), written(last));
    }

    private static Written written(Sample sample) {
        String heading = sample.step() == 0 ? "Before" : "After " + Quantities.counted(sample.step(), "step");
        return new Written(heading, visible(sample.prompt()), visible(sample.text()));
    }

    /** Replaces control characters with control pictures (U+2400 and up), because HTML allows only tab and line feed. */
    static String visible(String text) {
        StringBuilder visible = new StringBuilder(text.length());
        text.replace("\r\n", "\n").codePoints().forEach(point -> {
            boolean control = point < 0x20 && point != '\n' && point != '\t';
            boolean unpaired = point >= 0xD800 && point <= 0xDFFF;
            visible.appendCodePoint(control ? 0x2400 + point : point == 0x7F ? 0x2421 : unpaired ? 0xFFFD : point);
        });
        return visible.toString();
    }

    private static String prompt(Metrics metrics) {
        return metrics.samples().isEmpty()
                ? ""
                : metrics.samples().firstEntry().getValue().prompt();
    }

    private static String process(MemoryPlan plan, Standing standing) {
        return standing.processBytes().isPresent()
                ? "The whole process, with the JVM and its heap, took "
                        + Bytes.format(standing.processBytes().getAsLong()) + " at its peak"
                        + (plan.process().bytes() > 0 ? ", " + Bytes.format(plan.processBytes()) + " planned." : ".")
                : "";
    }

    private static List<Share> memory(
            Map<MemoryCategory, Long> planned, Map<MemoryCategory, Long> peakBytes, long total) {
        List<Share> shares = new ArrayList<>();
        double at = 0;
        for (MemoryCategory category : MemoryCategory.values()) {
            long bytes = peakBytes.getOrDefault(category, 0L);
            if (bytes <= 0) {
                continue;
            }
            double part = (double) bytes / total;
            shares.add(new Share(
                    category.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    switch (category) {
                        case WEIGHTS -> "Weights";
                        case GRADIENTS -> "Gradients";
                        case OPTIMIZER_STATE -> "Optimizer state";
                        case ACTIVATIONS -> "Activations";
                        case WORKSPACE -> "Workspace";
                    },
                    switch (category) {
                        case WEIGHTS -> "the parameters";
                        case GRADIENTS -> "gradients of parameters and activations";
                        case OPTIMIZER_STATE -> "optimizer buffers of each parameter";
                        case ACTIVATIONS -> "kept for the backward pass";
                        case WORKSPACE -> "temporary buffers of operations";
                    },
                    Bytes.format(planned.getOrDefault(category, 0L)),
                    Bytes.format(bytes),
                    String.format(Locale.ROOT, "%.1f%%", 100 * part),
                    String.format(Locale.ROOT, "%.2f", 1000 * at),
                    String.format(Locale.ROOT, "%.2f", 1000 * part)));
            at += part;
        }
        return shares;
    }

    private static List<Fact> facts(Plan plan, Standing standing, Metrics metrics, String java) {
        Recipe recipe = plan.recipe();
        List<Fact> facts = new ArrayList<>();
        facts.add(new Fact("Model", model(recipe)));
        facts.add(new Fact(
                "Trained on",
                recipe.data().trained().isEmpty()
                        ? Corpus.CODE.title()
                        : recipe.data().trained().stream().map(Path::toString).collect(Collectors.joining(", "))));
        String parameters = Quantities.grouped(plan.memory().parameters());
        facts.add(new Fact(
                "Parameters trained",
                plan.trainsAll() ? parameters + ", all" : Quantities.grouped(plan.trained()) + " of " + parameters));
        facts.add(new Fact(
                "Tokens",
                String.format(
                        Locale.ROOT,
                        isClassifier(recipe)
                                ? "%s examples: %s passes over %s tokens, in examples of at most %d"
                                : "%s targets: %s passes over %s tokens, in blocks of %d",
                        Quantities.grouped(metrics.tokens()),
                        Quantities.threeDigits(plan.epochs() * standing.steps() / Math.max(1, plan.steps())),
                        Quantities.grouped(plan.trainingTokens()),
                        plan.memory().blockLength())));
        String resumed = plan.firstStep() == 0 ? "" : ", resumed after " + Quantities.grouped(plan.firstStep());
        facts.add(new Fact("Steps", Quantities.grouped(standing.steps()) + resumed + course(plan, standing)));
        facts.add(new Fact(
                "Optimizer",
                recipe.optimizer().name().toLowerCase(Locale.ROOT) + ", learning rate "
                        + BigDecimal.valueOf(recipe.learningRate())
                                .stripTrailingZeros()
                                .toPlainString() + ", "
                        + recipe.schedule().name().toLowerCase(Locale.ROOT)));
        facts.add(new Fact("Seed", String.valueOf(recipe.seed())));
        facts.add(new Fact("Device", plan.device()));
        facts.add(new Fact("Java", java));
        facts.add(new Fact("Folder", plan.output().toString()));
        return facts;
    }

    /** Describes early stopping, skipped steps and restored weights. */
    private static String course(Plan plan, Standing standing) {
        String early = standing.steps() < plan.steps()
                ? " of " + Quantities.grouped(plan.steps()) + (standing.isFinished() ? ", stopped early" : "")
                : "";
        String skipped = standing.skipped() == 0 ? "" : ", " + Quantities.grouped(standing.skipped()) + " skipped";
        String saved = standing.savedStep() == standing.steps()
                ? ""
                : ", and the weights of step " + Quantities.grouped(standing.savedStep()) + " saved";
        return early + skipped + saved;
    }

    private static String model(Recipe recipe) {
        Path path = recipe.model().path();
        return path == null ? "built-in byte-level Llama" : path.toString();
    }

    /** Renders the page as HTML. */
    String html() {
        try (InputStream bytes = Objects.requireNonNull(Page.class.getResourceAsStream("report.html"));
                Reader template = new InputStreamReader(bytes, StandardCharsets.UTF_8)) {
            return Mustache.compiler()
                    .emptyStringIsFalse(true)
                    .zeroIsFalse(true)
                    .compile(template)
                    .execute(this);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
