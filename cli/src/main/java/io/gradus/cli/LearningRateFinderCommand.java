package io.gradus.cli;

import io.gradus.cli.report.LearningRateFinderChart;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.train.FineTuning;
import io.gradus.train.LearningRateFinderRun;
import io.gradus.train.recipe.Recipe;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Implements {@code gradus lr}. */
@Command(
        name = "lr",
        mixinStandardHelpOptions = true,
        description = {
            "Suggests a learning rate for a recipe. Trains a copy of the model while the rate rises from far too low"
                    + " to far too high,",
            "and finds where the loss falls fastest. Nothing is saved."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus lr recipe.yaml",
            "  ./gradus lr model.path=my-llama data.train=a.txt --svg lr.svg"
        })
final class LearningRateFinderCommand implements Callable<Integer> {
    private static final int USUAL_STEPS = 100;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "[recipe.yaml] [key=value]",
            description = "A recipe, and keys that override it, such as optimizer=sgd.")
    private List<String> arguments = new ArrayList<>();

    @Option(names = "--from", paramLabel = "RATE", description = "The first rate (default: ${DEFAULT-VALUE}).")
    private double low = 1e-7;

    @Option(names = "--to", paramLabel = "RATE", description = "The last rate (default: ${DEFAULT-VALUE}).")
    private double high = 1;

    @Option(names = "--steps", paramLabel = "N", description = "Rates to try, at least 20 (default: ${DEFAULT-VALUE}).")
    private int steps = USUAL_STEPS;

    @Option(
            names = "--svg",
            paramLabel = "FILE",
            description = "Write a chart of the loss over the learning rate to a file.")
    private @Nullable Path svg;

    @Override
    public Integer call() throws Exception {
        Charts.requireWritable(svg, spec);
        Recipe recipe = RecipeArguments.recipe(arguments);
        Terminal terminal = Terminal.of(spec);
        LearningRateFinderRun.Result result;
        try (StatusLine status = terminal.status()) {
            FineTuning run = BuiltIn.fineTuning(recipe, status.listener()).build();
            result = LearningRateFinderRun.find(run, low, high, steps);
        }
        PrintWriter out = terminal.out();
        int every = Math.max(1, result.points().size() / 20);
        out.println("    rate     loss  smoothed");
        for (int i = 0; i < result.points().size(); i += every) {
            var point = result.points().get(i);
            if (Double.isFinite(point.smoothed())) {
                out.printf(Locale.ROOT, "%.2e  %7.4f   %7.4f%n", point.rate(), point.loss(), point.smoothed());
            } else {
                out.printf(Locale.ROOT, "%.2e  diverged%n", point.rate());
            }
        }
        out.println();
        out.printf(Locale.ROOT, "the loss falls fastest at a rate of     %.1e%n", result.steepest());
        out.printf(Locale.ROOT, "a tenth of the rate where it is lowest  %.1e%n", result.tenthOfMinimum());
        out.printf(
                Locale.ROOT,
                "proposed%s: learning_rate=%.1e%n",
                result.doubt() == null ? "" : ", with little confidence",
                result.proposed());
        if (result.doubt() != null) {
            terminal.print("warning: " + result.doubt() + ". " + advice(recipe));
        }
        if (svg != null) {
            AtomicFile.write(svg, new LearningRateFinderChart(result).svg());
            terminal.print("chart written to " + svg);
        }
        out.flush();
        return 0;
    }

    private String advice(Recipe recipe) {
        return "For a better proposal: --steps=" + Math.max(USUAL_STEPS, 2 * steps) + ", larger batches (batch_size="
                + 4 * recipe.batchSize() + "), or another range (--from, --to).";
    }
}
