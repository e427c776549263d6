package io.gradus.cli;

import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.StreamingDecoder;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gradus generate}. */
@Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        description = "Writes on from a prompt, which is printed first.",
        footer = {
            "",
            "Examples:",
            "  gradus generate --prompt \"Returns the\"",
            "  gradus generate --model tuned --prompt \"Once upon\" --temperature 0 --max-tokens 200",
            "  gradus generate --model tuned --prompt \"Once upon\" --top-p 0.9 --seed 7"
        })
final class GenerateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "What to begin with; nothing by default.",
            defaultValue = "")
    private String prompt = "";

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 takes the likeliest token each time; higher is more varied. Default: ${DEFAULT-VALUE}.",
            defaultValue = "0.8")
    private double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Only the K likeliest tokens count; 0 for all, the default.",
            defaultValue = "0")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description =
                    "Only the likeliest tokens that have the probability P together count; 1 for all, the default.",
            defaultValue = "1")
    private double topP;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "How many tokens at most. Default: ${DEFAULT-VALUE}.",
            defaultValue = "200")
    private int maxTokens;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "The same seed gives the same text. Default: ${DEFAULT-VALUE}.",
            defaultValue = "42")
    private long seed;

    @Option(names = "--no-cache", description = "Read the whole text again for every token; slower, the same result.")
    private boolean noCache;

    @Override
    public Integer call() throws Exception {
        ModelFolder folder = options.folder();
        Tokenizer tokenizer = Tokenizer.load(folder.path());
        TextGeneration generation = generation(tokenizer);
        LanguageModel model = folder.load(options.device());
        PrintWriter out = spec.commandLine().getOut();
        StreamingDecoder decoder = new StreamingDecoder(tokenizer);
        int[] ids = Prompts.encode(tokenizer, prompt);
        for (int id : ids) {
            print(out, decoder.next(id));
        }
        generation.generate(model, ids, id -> print(out, decoder.next(id)));
        print(out, decoder.finish());
        if (System.console() != null && System.console().isTerminal()) {
            out.println(); // a file or a pipe gets the text alone
        }
        out.flush();
        return 0;
    }

    private TextGeneration generation(Tokenizer tokenizer) {
        try {
            Sampling sampling = new Sampling(temperature, topK, topP, seed);
            return new TextGeneration(sampling, maxTokens, Prompts.stops(tokenizer), !noCache);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--" + e.getMessage()); // it begins with the option's name
        }
    }

    private static void print(PrintWriter out, String text) {
        out.print(text);
        out.flush();
    }
}
