package io.gradus.cli;

import io.gradus.data.Blocks;
import io.gradus.data.ChatTemplate;
import io.gradus.data.DataFormat;
import io.gradus.data.Document;
import io.gradus.data.Documents;
import io.gradus.data.LabelTemplate;
import io.gradus.data.LabeledText;
import io.gradus.data.LabeledTexts;
import io.gradus.data.Packing;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.Evaluator;
import io.gradus.train.LabelAccuracy;
import io.gradus.train.recipe.Recipe;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Implements {@code gradus evaluate}. */
@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        description = "Prints the loss and the perplexity of a model on text.",
        footer = {
            "",
            "Examples:",
            "  ./gradus evaluate --model tuned --data held-out.txt",
            "  ./gradus evaluate --model tuned --data reviews.csv --format csv --accuracy"
        })
final class EvaluateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Option(
            names = "--data",
            paramLabel = "PATH",
            required = true,
            description = "A .txt, .jsonl or .csv file, or a folder of texts.")
    private Path data = Path.of("");

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "Format of the data: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.",
            defaultValue = "auto")
    private DataFormat.Kind format = DataFormat.Kind.AUTO;

    @Option(
            names = "--chat-template",
            paramLabel = "TEMPLATE",
            description = "How to format chats: ${COMPLETION-CANDIDATES}. Default: chosen by the special tokens of the"
                    + " tokenizer.")
    private @Nullable ChatTemplate chatTemplate;

    @Option(
            names = "--accuracy",
            description =
                    "Also print how many labels the model predicts correctly. Requires labeled texts (--format csv).")
    private boolean accuracy;

    @Option(
            names = "--label-prompt",
            paramLabel = "TEMPLATE",
            description =
                    "Template of the prompt of a labeled text. It must contain {text}. Use data.label_template.prompt"
                            + " of the run that trained the model. Default: the default of a recipe.")
    private String labelPrompt = LabelTemplate.DEFAULT.prompt();

    @Option(
            names = "--label-completion",
            paramLabel = "TEMPLATE",
            description =
                    "Template of a label. It must contain {label}. Use data.label_template.completion of that run.")
    private String labelCompletion = LabelTemplate.DEFAULT.completion();

    @Option(
            names = "--block-length",
            paramLabel = "N",
            description = "Tokens per block. Default: the context length of the model, at most 256.")
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
        int length = blockLength == null ? Math.min(Recipe.DEFAULT_BLOCK_LENGTH, model.contextLength()) : blockLength;
        if (length < 2 || length > model.contextLength()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--block-length is " + length + "; it must be from 2 to the model's context, "
                            + model.contextLength());
        }
        LabelTemplate labels = labels();
        Tokenizer tokenizer = Tokenizer.load(folder.path());
        DataFormat reading = new DataFormat(format, chatTemplate, labels).withTemplateOf(tokenizer);
        List<Document> documents = Documents.read(data, reading);
        Blocks blocks = Blocks.pack(documents, tokenizer, length, Packing.usual(documents), reading.chatTemplate());
        double loss = Evaluator.loss(model, blocks, Integer.MAX_VALUE, batchSize);
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, "loss        %.4f nats per token%n", loss);
        out.printf(Locale.ROOT, "perplexity  %.2f%n", Math.exp(loss));
        out.printf(Locale.ROOT, "tokens      %,d in %,d blocks of %d%n", blocks.counted(), blocks.size(), length);
        if (format == DataFormat.Kind.CSV) {
            out.printf("labels as   %s%n", (labels.prompt() + labels.completion()).replace("\n", "\\n"));
        }
        if (accuracy) {
            List<LabeledText> texts = LabeledTexts.read(data);
            out.printf("accuracy    %s%n", LabelAccuracy.of(model, tokenizer, texts, labels, batchSize));
        }
        blocks.warnings().forEach(warning -> out.println("warning: " + warning));
        out.flush();
        return 0;
    }

    private LabelTemplate labels() {
        if (format != DataFormat.Kind.CSV) {
            for (String option : List.of("--accuracy", "--label-prompt", "--label-completion")) {
                if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                    throw new ParameterException(
                            spec.commandLine(), option + " requires labeled texts: add --format csv");
                }
            }
        }
        try {
            return new LabelTemplate(labelPrompt, labelCompletion);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
