package io.gradus.cli;

import io.gradus.cli.print.DivisionTable;
import io.gradus.cli.print.MemoryTable;
import io.gradus.cli.print.Quantities;
import io.gradus.cli.report.MemoryChart;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.corpora.BuiltInModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.FineTuning;
import io.gradus.train.TrainingListener.Progress;
import io.gradus.train.memory.Comparison;
import io.gradus.train.memory.Division;
import io.gradus.train.memory.KnownModel;
import io.gradus.train.memory.MemoryPlan;
import io.gradus.train.memory.RuleOfThumb;
import io.gradus.train.memory.RuleOfThumb.Precision;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Implements {@code gradus memory}. */
@Command(
        name = "memory",
        mixinStandardHelpOptions = true,
        description = {
            "Estimates the memory that full fine-tuning of a model needs, without loading it.",
            "Runs the training step on a device that only counts memory, and also prints a rule-of-thumb estimate."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus memory --model my-llama",
            "  ./gradus memory --model my-llama/config.json batch_size=2",
            "  ./gradus memory recipe.yaml --compare",
            "  ./gradus memory --model llama-7b --compare --svg memory.svg",
            "  ./gradus memory --model llama-7b --ranks 8 --bandwidth 10,100"
        })
final class MemoryCommand implements Callable<Integer> {
    private static final int COLUMN = 11;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description =
                    "A Hugging Face folder, a config.json, or llama-7b, llama-13b or llama-70b. Default: the model of"
                            + " the recipe.")
    private @Nullable String model;

    @Parameters(
            arity = "0..*",
            paramLabel = "[recipe.yaml] [key=value]",
            description = "A recipe, and keys that override it, such as batch_size=2 or optimizer=sgd.")
    private List<String> arguments = new ArrayList<>();

    @Option(names = "--compare", description = "Compare the memory of different ways to train the model.")
    private boolean compare;

    @Option(names = "--svg", paramLabel = "FILE", description = "Write a chart of the comparison to a file.")
    private @Nullable Path svg;

    @Option(
            names = "--ranks",
            paramLabel = "N",
            split = ",",
            description = "Plan each of N processes that train together, for each value of parallel; N may be a list.")
    private List<Integer> ranks = new ArrayList<>();

    @Option(
            names = "--bandwidth",
            paramLabel = "GBITS",
            split = ",",
            defaultValue = "100",
            description = "The network of each of the N processes in Gb/s; may be a list (${DEFAULT-VALUE}).")
    private List<Double> bandwidths = List.of();

    @Option(
            names = "--tflops",
            paramLabel = "TFLOPS",
            description =
                    "The speed of each of the N processes in 10^12 operations per second, for the time of a step.")
    private @Nullable Double teraflops;

    @Override
    public Integer call() throws Exception {
        requirePositive();
        Charts.requireWritable(svg, spec);
        Recipe recipe = RecipeArguments.recipe(arguments);
        Optional<KnownModel> known = model == null ? Optional.empty() : KnownModel.of(model);
        ModelConfig config =
                known.isPresent() ? known.get().config() : folder(recipe).config();
        Terminal terminal = Terminal.of(spec);
        MemoryPlan plan;
        try (StatusLine status = terminal.status()) {
            status.show(new Progress("planning memory", 0, 0));
            plan = FineTuning.plan(recipe, config, false);
        }
        print(terminal, name(recipe), recipe, config, plan);
        known.ifPresent(published -> printPublished(terminal, published));
        printRanks(terminal, recipe, config);
        if (compare || svg != null) {
            List<Comparison.Row> rows;
            try (StatusLine status = terminal.status()) {
                status.show(new Progress("planning the memory of other settings", 0, 0));
                rows = Comparison.of(recipe, other -> FineTuning.plan(other, config, false));
            }
            terminal.out().println();
            MemoryTable.lines(rows, terminal.width()).forEach(terminal.out()::println);
            if (svg != null) {
                String title = "Peak memory to train " + name(recipe) + ", batches of " + recipe.batchSize() + " × "
                        + plan.blockLength() + " tokens";
                AtomicFile.write(svg, MemoryChart.svg(title, rows));
                terminal.out().println();
                terminal.print("chart written to " + svg);
            }
        }
        terminal.out().flush();
        return 0;
    }

    private ModelFolder folder(Recipe recipe) throws IOException {
        if (model == null) {
            Path path = recipe.model().path();
            return ModelFolder.open(path == null ? BuiltInModel.folder() : path);
        }
        Path path = Path.of(model);
        if (model.isBlank() || !Files.exists(path)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--model '" + model + "' is neither a folder nor a config.json, nor one of "
                            + String.join(
                                    ", ",
                                    Arrays.stream(KnownModel.values())
                                            .map(KnownModel::toString)
                                            .toList()));
        }
        return new ModelFolder(path);
    }

    private String name(Recipe recipe) {
        Path path = recipe.model().path();
        return model != null ? model : path != null ? path.toString() : "the built-in Llama";
    }

    private static void print(Terminal terminal, String name, Recipe recipe, ModelConfig config, MemoryPlan plan) {
        PrintWriter out = terminal.out();
        terminal.print("model", COLUMN, name + ", " + Quantities.grouped(plan.parameters()) + " parameters");
        terminal.print("batch", COLUMN, plan.batchSize() + " × " + plan.blockLength() + " tokens");
        terminal.print(
                "optimizer",
                COLUMN,
                recipe.optimizer().name().toLowerCase(Locale.ROOT)
                        + String.format(Locale.ROOT, ", %.1f bytes kept per parameter", plan.bytesPerParameter()));
        out.println();
        MemoryTable.lines(plan, terminal.width()).forEach(out::println);
        out.println();
        RuleOfThumb rule = RuleOfThumb.of(plan, config);
        MemoryTable.lines(rule, terminal.width()).forEach(out::println);
        terminal.print(String.format(
                Locale.ROOT,
                "with k = %d or %d; in the plan, logits included, k = %.0f",
                RuleOfThumb.activationFactor(Precision.F32),
                RuleOfThumb.activationFactor(Precision.MIXED),
                rule.activationFactor(plan.activationBytes())));
    }

    private void requirePositive() {
        if (ranks.stream().anyMatch(number -> number < 2)) {
            throw new ParameterException(spec.commandLine(), "--ranks must be at least 2");
        }
        if (bandwidths.stream().anyMatch(rate -> !(rate > 0)) || (teraflops != null && !(teraflops > 0))) {
            throw new ParameterException(spec.commandLine(), "--bandwidth and --tflops must be positive");
        }
    }

    private void printRanks(Terminal terminal, Recipe recipe, ModelConfig config) {
        List<String> legend = List.of();
        for (int processes : ranks) {
            List<Division.Row> rows;
            try (StatusLine status = terminal.status()) {
                status.show(new Progress("planning the memory of " + processes + " processes", 0, 0));
                rows = Division.of(
                        recipe, config, processes, other -> FineTuning.plan(other, config, false, processes));
            }
            DivisionTable table = new DivisionTable(recipe, processes, bandwidths, teraflops);
            terminal.out().println();
            table.lines(rows, terminal.width()).forEach(terminal.out()::println);
            legend = table.legend(rows.getFirst().plan());
        }
        if (!ranks.isEmpty()) {
            terminal.out().println();
            legend.forEach(terminal::print);
        }
    }

    private static void printPublished(Terminal terminal, KnownModel model) {
        RuleOfThumb published = model.published();
        terminal.out().println();
        terminal.print(String.format(
                Locale.ROOT,
                "published: %.1f + %.1f GB in mixed precision, %d GPUs of 80 GB (N = %s, one sequence of %s tokens)",
                published.modelBytes() / 1e9,
                published.activationBytes(Precision.MIXED) / 1e9,
                published.gpus(),
                Quantities.grouped(published.parameters()),
                Quantities.grouped(published.tokens())));
    }
}
