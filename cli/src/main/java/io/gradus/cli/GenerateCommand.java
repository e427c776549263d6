package io.gradus.cli;

import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatMessage.Role;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.StreamingDecoder;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.TrainingListener.Progress;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Implements {@code gradus generate}. */
@Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        description = "Continues a prompt. Prints the prompt and its continuation.",
        footer = {
            "",
            "Examples:",
            "  ./gradus generate --prompt \"Returns the\"",
            "  ./gradus generate --model tuned --prompt \"Once upon\" --temperature 0",
            "  ./gradus generate --model tuned --prompt \"Once upon\" --top-p 0.9 --seed 7"
        })
final class GenerateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "The text to continue. Default: empty.",
            defaultValue = "")
    private String prompt = "";

    @Option(
            names = "--chat",
            description = "Write the prompt as a message of a user, with the chat template of the model.")
    private boolean chat;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Maximum number of tokens. Default: ${DEFAULT-VALUE}.",
            defaultValue = "200")
    private int maxTokens;

    @Option(
            names = "--no-cache",
            description = "Recompute the whole text for every token. Slower, with the same result.")
    private boolean noCache;

    @Override
    public Integer call() throws Exception {
        ModelFolder folder = options.folder();
        Tokenizer tokenizer = Tokenizer.load(folder.path());
        TextGeneration generation = sampling.generation(tokenizer, maxTokens, !noCache);
        LanguageModel model;
        try (StatusLine status = Terminal.of(spec).status()) {
            status.show(new Progress("loading the model", 0, 0));
            model = folder.load(options.device());
        }
        Lines lines = new Lines(spec.commandLine().getOut());
        StreamingDecoder decoder = new StreamingDecoder(tokenizer);
        int[] ids = chat ? chat(tokenizer) : Prompts.encode(tokenizer, prompt);
        if (ids.length > model.contextLength()) {
            throw new ParameterException(
                    spec.commandLine(),
                    String.format(
                            Locale.ROOT,
                            "--prompt has %,d tokens, but the context length of the model is %,d; shorten it",
                            ids.length,
                            model.contextLength()));
        }
        for (int id : ids) {
            lines.print(decoder.next(id));
        }
        generation.generate(model, ids, id -> lines.print(decoder.next(id)));
        lines.print(decoder.finish());
        lines.end();
        return 0;
    }

    private int[] chat(Tokenizer tokenizer) throws IOException {
        ChatTemplate template = options.chatTemplate(tokenizer);
        return tokenizer.encode(template.prompt(List.of(new ChatMessage(Role.USER, prompt)), Map.of()));
    }

    /** Prints text as it comes, and ends the last line. */
    private static final class Lines {
        private final PrintWriter out;
        private boolean open = true;

        Lines(PrintWriter out) {
            this.out = out;
        }

        void print(String text) {
            out.print(text);
            out.flush();
            open = text.isEmpty() ? open : !text.endsWith("\n");
        }

        void end() {
            if (open) {
                out.println();
                out.flush();
            }
        }
    }
}
