package io.gradus.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gradus.cli.print.Quantities;
import io.gradus.data.Blocks;
import io.gradus.data.DataFormat;
import io.gradus.data.Document;
import io.gradus.data.Documents;
import io.gradus.data.LabelTemplate;
import io.gradus.data.LabeledText;
import io.gradus.data.LabeledTexts;
import io.gradus.data.Packing;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.Evaluator;
import io.gradus.train.LabelAccuracy;
import io.gradus.train.TrainingListener.Progress;
import io.gradus.train.recipe.Recipe;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Collection;
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
            "  ./gradus evaluate --model tuned --data held-out.txt --json",
            "  ./gradus evaluate --model tuned --data reviews.csv --format csv --accuracy"
        })
final class EvaluateCommand implements Callable<Integer> {
    private static final int COLUMN = 12;

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
            description =
                    "How to format chats: llama2, llama3, chatml, plain, or a .jinja file. Default: the model's own"
                            + " template, or else llama3 or chatml if the tokenizer has its special tokens.")
    private @Nullable String chatTemplate;

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

    @Option(names = "--json", description = "Print JSON, with all digits.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        if (batchSize < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--batch-size is " + batchSize + "; it must be at least 1");
        }
        LabelTemplate labels = labels();
        Terminal terminal = Terminal.of(spec);
        try (StatusLine status = terminal.status()) {
            ModelFolder folder = options.folder();
            status.show(new Progress("loading the model", 0, 0));
            LanguageModel model = folder.load(options.device());
            int length = length(model);
            status.show(new Progress("reading the text", 0, 0));
            Tokenizer tokenizer = Tokenizer.load(folder.path());
            DataFormat reading = new DataFormat(
                    format, ChatTemplate.choose(chatTemplate, tokenizer).orElse(null), labels);
            Collection<Document> documents = Documents.read(data, reading);
            Blocks blocks = Blocks.pack(
                    documents,
                    tokenizer,
                    length,
                    Packing.usual(documents),
                    reading.chatTemplate(),
                    part -> status.show(new Progress("tokenizing the text", (long) (100 * part), 100)));
            double loss = Evaluator.loss(model, blocks, Integer.MAX_VALUE, batchSize, status::show);
            LabelAccuracy correct = null;
            if (accuracy) {
                Collection<LabeledText> texts = LabeledTexts.read(data);
                correct = LabelAccuracy.of(model, tokenizer, texts, labels, batchSize, status::show);
            }
            status.clear();
            PrintWriter out = terminal.out();
            if (json) {
                out.println(toJson(loss, blocks, correct).toPrettyString());
            } else {
                print(terminal, loss, blocks, labels, correct);
            }
            out.flush();
            return 0;
        }
    }

    private int length(LanguageModel model) {
        int length = blockLength == null ? Math.min(Recipe.DEFAULT_BLOCK_LENGTH, model.contextLength()) : blockLength;
        if (length < 2 || length > model.contextLength()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--block-length is " + length + "; it must be from 2 to the model's context, "
                            + model.contextLength());
        }
        return length;
    }

    /** Prints the loss with seven decimals, the precision of 32-bit floats. */
    private void print(
            Terminal terminal, double loss, Blocks blocks, LabelTemplate labels, @Nullable LabelAccuracy correct) {
        terminal.print("loss", COLUMN, String.format(Locale.ROOT, "%.7f nats per token", loss));
        double perplexity = Math.exp(loss);
        terminal.print(
                "perplexity",
                COLUMN,
                Double.isFinite(perplexity) ? String.format(Locale.ROOT, "%.7g", perplexity) : "above 1e308");
        terminal.print(
                "tokens",
                COLUMN,
                Quantities.grouped(blocks.counted()) + " in " + Quantities.counted(blocks.size(), "block") + " of "
                        + blocks.length());
        if (format == DataFormat.Kind.CSV) {
            terminal.print("labels as", COLUMN, (labels.prompt() + labels.completion()).replace("\n", "\\n"));
        }
        if (correct != null) {
            terminal.print("accuracy", COLUMN, correct.toString());
        }
        blocks.warnings().forEach(warning -> terminal.print("warning: " + warning));
    }

    private static ObjectNode toJson(double loss, Blocks blocks, @Nullable LabelAccuracy correct) {
        ObjectNode json = new ObjectMapper()
                .createObjectNode()
                .put("loss", loss)
                .put("perplexity", Double.isFinite(Math.exp(loss)) ? Math.exp(loss) : null)
                .put("tokens", blocks.counted())
                .put("blocks", blocks.size())
                .put("block_length", blocks.length());
        if (correct != null) {
            json.put("accuracy", correct.value())
                    .put("correct", correct.correct())
                    .put("texts", correct.total());
        }
        ArrayNode warnings = json.putArray("warnings");
        blocks.warnings().forEach(warnings::add);
        return json;
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
