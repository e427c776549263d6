package io.gradus.train.cli;

import io.gradus.nn.model.LanguageModel;
import io.gradus.train.Evaluator;
import io.gradus.train.FineTuning;
import io.gradus.train.ModelFolder;
import io.gradus.train.data.Blocks;
import io.gradus.train.data.Documents;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gradus evaluate}. */
@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        description = "Prints the loss and the perplexity of a model on text.",
        footer = {"", "Examples:", "  gradus evaluate --model tuned --data held-out.txt"})
final class EvaluateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Option(
            names = "--data",
            paramLabel = "PATH",
            required = true,
            description = "A .txt or .jsonl file, or a folder of them.")
    private Path data = Path.of("");

    @Option(
            names = "--block-length",
            paramLabel = "N",
            description = "Tokens that the model sees at once; its context length, 256 at most, without it.")
    private @Nullable Integer blockLength;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Blocks per forward pass. Default: ${DEFAULT-VALUE}.",
            defaultValue = "8")
    private int batchSize;

    @Override
    public Integer call() throws Exception {
        if (batchSize < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--batch-size is " + batchSize + "; it must be at least 1");
        }
        ModelFolder folder = options.folder();
        LanguageModel model = folder.load(options.device());
        int length = blockLength == null ? Math.min(FineTuning.USUAL_BLOCK_LENGTH, model.contextLength()) : blockLength;
        if (length < 2 || length > model.contextLength()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--block-length is " + length + "; it must be from 2 to the model's context, "
                            + model.contextLength());
        }
        Blocks blocks = Blocks.pack(Documents.read(data), folder.tokenizer(), length);
        double loss = Evaluator.loss(model, blocks, Integer.MAX_VALUE, batchSize);
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, "loss        %.4f nats per token%n", loss);
        out.printf(Locale.ROOT, "perplexity  %.2f%n", Math.exp(loss));
        out.printf(Locale.ROOT, "tokens      %,d in %,d blocks of %d%n", blocks.counted(), blocks.size(), length);
        out.flush();
        return 0;
    }
}
