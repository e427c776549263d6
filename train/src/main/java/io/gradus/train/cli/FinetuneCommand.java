package io.gradus.train.cli;

import io.gradus.train.FineTuning;
import io.gradus.train.Recipe;
import io.gradus.train.StoppedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code gradus finetune}. */
@Command(
        name = "finetune",
        mixinStandardHelpOptions = true,
        description = {
            "Trains every weight of a pre-trained model on text and writes a Hugging Face folder.",
            "Without arguments: the built-in model on the built-in text, in about two minutes."
        },
        footer = {
            "",
            "Examples:",
            "  gradus finetune",
            "  gradus finetune model.path=my-llama data.train=corpus.txt output=tuned steps=300",
            "  gradus finetune recipe.yaml learning_rate=1e-4",
            "  gradus finetune recipe.yaml --resume",
            "",
            "All keys and their defaults: gradus finetune --show-keys"
        })
final class FinetuneCommand implements Callable<Integer> {
    /** As of a process that SIGTERM ended; after a signal the JVM puts that signal's in its place. */
    private static final int STOPPED = 143;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "[recipe.yaml] [key=value]",
            description = "A recipe, and keys that override it, such as steps=300 or data.train=corpus.txt.")
    private List<String> arguments = new ArrayList<>();

    @Option(names = "--resume", description = "Continue from the newest checkpoint in output; the same as resume=true.")
    private boolean resume;

    @Option(names = "--show-keys", description = "Print every key of a recipe with its default, and do nothing.")
    private boolean showKeys;

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
        Recipe recipe = RecipeArguments.recipe(overrides);
        try (ConsoleProgress progress = new ConsoleProgress(Terminal.of(spec))) {
            FineTuning run = new FineTuning(recipe, progress);
            try (Termination _ = new Termination(() -> {
                progress.stopping();
                run.stop();
            })) {
                return follow(run, progress);
            }
        }
    }

    private int follow(FineTuning run, ConsoleProgress progress) throws IOException {
        try {
            run.run();
            return 0;
        } catch (StoppedException e) {
            progress.close();
            spec.commandLine().getErr().println(e.getMessage());
            spec.commandLine().getErr().flush();
            return STOPPED;
        }
    }
}
