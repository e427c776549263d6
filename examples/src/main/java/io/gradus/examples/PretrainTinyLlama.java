package io.gradus.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.cli.ConsoleProgress;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.corpora.Corpus;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.llama.Llama;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.FineTuning;
import io.gradus.train.RunResult;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Pre-trains the model that comes with Gradus: a byte-level Llama with about a million parameters, trained from random weights on
 * the documentation of well-known Java libraries. Pre-training is fine-tuning of a model with random weights, so this program
 * writes such a model and runs the usual recipe.
 *
 * <p>{@code ./gradus example PretrainTinyLlama FOLDER [key=value…]} writes {@code FOLDER/tiny-llama}, which is copied into the resources of
 * the module {@code corpora}. The same seed gives the same bytes.
 */
public final class PretrainTinyLlama {
    private static final ByteTokenizer TOKENIZER = new ByteTokenizer();
    private static final LlamaConfig CONFIG = LlamaConfig.of(TOKENIZER.vocabSize(), 128, 352, 5, 4, 2, 256);
    private static final long SEED = 20_26;

    private PretrainTinyLlama() {}

    @SuppressWarnings("ClosingStandardOutputStreams") // closing only ends the progress bar
    public static void main(String[] args) throws IOException {
        if (args.length == 0) {
            System.err.println("usage: PretrainTinyLlama FOLDER [key=value...]");
            System.exit(2);
        }
        Path folder = Files.createDirectories(Path.of(args[0]));
        Path untrained = writeUntrained(folder.resolve("untrained"));
        Path text = write(folder.resolve("prose.jsonl"), Corpus.PROSE.training());
        Path heldOut = write(folder.resolve("prose-held-out.jsonl"), Corpus.PROSE.heldOut());
        String yaml = String.format(Locale.ROOT, """
            model: {path: %s}
            data: {train: %s, eval: %s, max_seq_len: 256}
            output: %s
            epochs: 1
            batch_size: 8
            learning_rate: 3.0e-3
            schedule: cosine
            warmup_ratio: 0.03
            min_lr_ratio: 0.05
            weight_decay: 0.1
            beta2: 0.99
            eval_steps: 500
            max_eval_blocks: 128
            save_steps: 500
            sample: {prompt: "This method returns"}
            resume: true
            """, untrained, text, heldOut, folder.resolve("trained"));
        Recipe recipe = Recipe.parse(yaml, List.of(args).subList(1, args.length).toArray(String[]::new));
        try (ConsoleProgress progress = ConsoleProgress.plain(System.out)) {
            RunResult result = new FineTuning(recipe, progress).run();
            shrink(result.output(), folder.resolve("tiny-llama"));
        }
    }

    /** A model with random weights, as a Hugging Face folder. */
    private static Path writeUntrained(Path folder) throws IOException {
        Llama model = new Llama(CONFIG, WeightSource.random(Device.cpu(), SEED));
        int end = TOKENIZER.eos().orElseThrow();
        TOKENIZER.save(folder);
        model.save(folder);
        ConfigJson config = ConfigJson.read(folder).set("bos_token_id", end).set("eos_token_id", end);
        Files.writeString(folder.resolve("config.json"), config + "\n");
        ConfigJson ends = new ConfigJson().set("bos_token_id", end).set("eos_token_id", end);
        Files.writeString(folder.resolve("generation_config.json"), ends + "\n");
        return folder;
    }

    /** One document per line. */
    private static Path write(Path file, List<String> documents) throws IOException {
        ObjectMapper json = new ObjectMapper();
        StringBuilder lines = new StringBuilder();
        for (String document : documents) {
            lines.append(json.createObjectNode().put("text", document)).append('\n');
        }
        return Files.writeString(file, lines);
    }

    /** The trained model with its weights in 16 bits, as it is shipped. */
    private static void shrink(Path trained, Path target) throws IOException {
        ModelFolder folder = ModelFolder.open(trained);
        var model = folder.load(Device.cpu());
        TOKENIZER.save(target);
        folder.save(model, target);
        List<NamedTensor> tensors = model.namedParameters().entrySet().stream()
                .map(entry -> NamedTensor.of(entry.getKey(), entry.getValue().value(), DType.BF16))
                .toList();
        SafetensorsWriter.write(target.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        ConfigJson config = ConfigJson.read(target).set("torch_dtype", "bfloat16");
        Files.writeString(target.resolve("config.json"), config + "\n");
        System.out.println("written: " + target);
    }
}
