package io.gradus.cli;

import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of every command that generates text. */
final class SamplingOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 always takes the most likely token; higher values give more varied text. Default:"
                    + " ${DEFAULT-VALUE}.",
            defaultValue = "0.8")
    private double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Sample only from the K most likely tokens. Default: 0 (all).",
            defaultValue = "0")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Sample only from the most likely tokens whose probabilities add up to P. Default: 1 (all).",
            defaultValue = "1")
    private double topP;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "Random seed. The same seed gives the same text. Default: ${DEFAULT-VALUE}.",
            defaultValue = "42")
    private long seed;

    /** The settings, with the tokens at which a model stops. */
    TextGeneration generation(Tokenizer tokenizer, int maxTokens, boolean useCache) {
        try {
            Sampling sampling = new Sampling(temperature, topK, topP, seed);
            return new TextGeneration(sampling, maxTokens, Prompts.stops(tokenizer), useCache);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(
                    command.commandLine(), "--" + e.getMessage()); // the message begins with the name of the option
        }
    }
}
