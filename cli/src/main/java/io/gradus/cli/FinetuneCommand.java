package io.gradus.cli;

import io.gradus.parallel.Communicator;
import io.gradus.train.DryRun;
import io.gradus.train.FineTuning;
import io.gradus.train.OverfitOneBatch;
import io.gradus.train.StoppedException;
import io.gradus.train.recipe.Recipe;
import io.gradus.train.recipe.RecipeException;
import java.io.IOException;
import java.io.PrintWriter;
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

/** Implements {@code gradus finetune}. */
@Command(
        name = "finetune",
        mixinStandardHelpOptions = true,
        description = {
            "Trains every weight of a pre-trained model on text and writes a Hugging Face folder.",
            "Without arguments, trains the built-in model on the built-in text in about two minutes."
        },
        footer = {
            "",
            "Examples:",
            "  ./gradus finetune",
            "  ./gradus finetune model.path=my-llama data.train=a.txt output=tuned",
            "  ./gradus finetune recipe.yaml learning_rate=1e-4",
            "  ./gradus finetune recipe.yaml --resume",
            "  ./gradus finetune recipe.yaml --dry-run",
            "",
            "All keys and their defaults: ./gradus finetune --show-keys"
        })
final class FinetuneCommand implements Callable<Integer> {
    /** Exit code of a process that SIGTERM ended. After another signal the JVM replaces it with the code of that signal. */
    private static final int STOPPED = 143;

    private static final int BATCHES_SHOWN = 2;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "[recipe.yaml] [key=value]",
            description = "A recipe, and keys that override it, such as steps=300 or data.train=corpus.txt.")
    private List<String> arguments = new ArrayList<>();

    @Option(names = "--resume", description = "Continue from the newest checkpoint in output; the same as resume=true.")
    private boolean resume;

    @Option(names = "--show-keys", description = "Print every key of a recipe with its default, then exit.")
    private boolean showKeys;

    @Option(
            names = "--dry-run",
            description = "Show the first batches, their targets, and the estimated memory and time. Train nothing.")
    private boolean dryRun;

    @Option(
            names = "--overfit-one-batch",
            description =
                    "Check that training works: train on a single batch until the model memorizes it. Write nothing.")
    private boolean overfit;

    @Override
    public Integer call() throws Exception {
        if (showKeys) {
            spec.commandLine().getOut().print(Recipe.documentation());
            spec.commandLine().getOut().flush();
            return 0;
        }
        List<String> overrides = new ArrayList<>(arguments);
        if (resume) {
            overrides.add("resume=true");
        }
        Recipe recipe;
        try {
            recipe = RecipeArguments.recipe(overrides);
        } catch (RecipeException e) {
            return ParallelRun.withoutRecipe(e, overrides, spec);
        }
        Terminal terminal = Terminal.of(spec);
        if (dryRun) {
            return dryRun(recipe, terminal);
        }
        if (overfit) {
            return overfitOneBatch(recipe, terminal);
        }
        if (recipe.parallel() != Recipe.ParallelKind.NONE) {
            return ParallelRun.of(recipe, spec, this::run);
        }
        return run(recipe, null);
    }

    /** Trains in this process, or with others. */
    private int run(Recipe recipe, @Nullable Communicator communicator) throws IOException {
        Terminal terminal = Terminal.of(spec);
        try (ConsoleProgress progress = new ConsoleProgress(terminal)) {
            FineTuning run = build(recipe, communicator, progress);
            try (Termination _ = new Termination(() -> {
                progress.stopping();
                run.stop();
            })) {
                return follow(run, progress);
            }
        }
    }

    private static FineTuning build(Recipe recipe, @Nullable Communicator communicator, ConsoleProgress progress) {
        if (communicator == null) {
            return BuiltIn.fineTuning(recipe, progress).build();
        }
        try {
            return BuiltIn.fineTuning(recipe, progress)
                    .communicator(communicator)
                    .build();
        } catch (RuntimeException | Error e) {
            communicator.abort(ErrorMessage.of(e)); // the others wait for this process
            throw e;
        }
    }

    private static int dryRun(Recipe recipe, Terminal terminal) throws IOException {
        try (StatusLine status = terminal.status()) {
            DryRun run = DryRun.of(BuiltIn.fineTuning(recipe, status.listener()).build());
            status.clear();
            terminal.out().print(DryRunText.of(run, BATCHES_SHOWN, terminal.styled(), terminal.width()));
            terminal.out().flush();
            return 0;
        }
    }

    private static int overfitOneBatch(Recipe recipe, Terminal terminal) throws IOException {
        PrintWriter out = terminal.out();
        int[] step = {0};
        try (StatusLine status = terminal.status()) {
            OverfitOneBatch.Result result = OverfitOneBatch.run(
                    BuiltIn.fineTuning(recipe, status.listener()).build(), loss -> {
                        if (step[0]++ % 10 == 0) {
                            status.clear();
                            out.printf(Locale.ROOT, "step %d  loss %.4f%n", step[0], loss);
                            out.flush();
                        }
                    });
            String verdict = (result.passed() ? "passed: " : "failed: ") + result.verdict();
            terminal.print(verdict);
            out.flush();
            return result.passed() ? 0 : 1;
        }
    }

    private int follow(FineTuning run, ConsoleProgress progress) throws IOException {
        try {
            run.run();
            return 0;
        } catch (StoppedException e) {
            progress.close();
            Terminal.printError(ErrorMessage.of(e), spec.commandLine().getErr());
            return STOPPED;
        }
    }
}
