package io.gradus.bench;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Continues prompts token by token, without sampling, whenever a line of input asks for it. */
@Command(
        name = "generation",
        mixinStandardHelpOptions = true,
        description =
                "Reads lines with a number of tokens and the ids of a prompt. Generates that many tokens greedily, and prints"
                        + " the time per token after the first one, and the new ids. bench/generation.py compares it with llama.cpp.")
final class GenerationCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, description = "A Hugging Face folder of a language model.")
    private Path folder;

    @Option(names = "--precision", defaultValue = "F32", description = "Dtype of the weights (${DEFAULT-VALUE}).")
    private DType precision;

    @Option(names = "--threads", defaultValue = "1", description = "Number of threads (${DEFAULT-VALUE}).")
    private int threads;

    @Override
    public Integer call() throws IOException {
        LanguageModel model = ModelFolder.open(folder).load(Device.cpu(threads), precision);
        PrintWriter out = spec.commandLine().getOut();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            int[] numbers = Arrays.stream(line.strip().split(" "))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            out.println(generate(model, numbers[0], Arrays.copyOfRange(numbers, 1, numbers.length)));
            out.flush();
        }
        return 0;
    }

    private static String generate(LanguageModel model, int count, int[] prompt) {
        long[] times = new long[count];
        int[] written = new int[1];
        int[] ids = new TextGeneration(Sampling.GREEDY, count, Set.of(), true)
                .generate(model, prompt, _ -> times[written[0]++] = System.nanoTime())
                .ids();
        double seconds = (times[count - 1] - times[0]) * 1e-9 / (count - 1);
        return String.format(Locale.ROOT, "seconds %.6f ids %s", seconds, Arrays.toString(ids));
    }
}
