package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests {@code gradus memory} with folders, config files, published models and invalid arguments. */
class MemoryCommandTest {
    @TempDir
    private Path folder;

    private record Ran(int code, String out, String err) {}

    private static Ran memory(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = Stream.concat(Stream.of("memory"), Stream.of(args).map(Object::toString))
                .toArray(String[]::new);
        return new Ran(
                Main.run(new PrintWriter(out), new PrintWriter(err), words),
                out.toString().replace(System.lineSeparator(), "\n"),
                err.toString());
    }

    private static void assertRefused(Ran ran, int code, String message) {
        assertThat(ran.err()).contains(message).doesNotContain("\tat ", "Exception");
        assertThat(ran.out()).isEmpty();
        assertThat(ran.code()).isEqualTo(code);
    }

    @Test
    void memoryPlansAFolderOrItsConfigFile() throws IOException {
        Path model = TinyModel.write(folder.resolve("model"));
        Ran ran = memory("--model", model, "batch_size=2");
        assertThat(ran.code()).isZero();
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out())
                .startsWith("model      " + model + ", 6,")
                .contains("batch      2 × 32 tokens", "adamw, 16.0 bytes kept per parameter")
                .contains("memory, planned", "rule of thumb", "total, 16N")
                .doesNotContain("published", "SGD");
        Path alone = Files.move(model.resolve("config.json"), folder.resolve("tiny.json"));
        Ran file = memory("--model", alone, "batch_size=2");
        assertThat(file.out()).isEqualTo(ran.out().replace(model.toString(), alone.toString()));
    }

    @Test
    void memoryUsesTheModelOfTheRecipeOrTheBuiltInModel() throws IOException {
        Path model = TinyModel.write(folder.resolve("model"));
        Path recipe = Files.writeString(
                folder.resolve("recipe.yaml"),
                "{model: {path: '" + model + "'}, data: {train: x.txt}, optimizer: sgd}");
        assertThat(memory(recipe).out()).contains("model      " + model, "sgd, 12.0 bytes");
        assertThat(memory(recipe, "optimizer=adam").out()).contains("adam, 16.0 bytes");
        assertThat(memory().out()).contains("model      the built-in Llama, 955,904 parameters");
    }

    @Test
    void memoryPrintsPublishedNumbersOfAKnownModel() {
        assertThat(memory("--model", "llama-7b").out())
                .contains("6,738,415,616 parameters")
                .contains("published: 112.0 + 3.2 GB in mixed precision, 2 GPUs of 80 GB");
        assertThat(memory("--model", "llama-70b").out())
                .contains("published: 1120.0 + 16.1 GB in mixed precision, 15 GPUs of 80 GB");
    }

    /** 7 billion parameters, 8 nodes: 47 GB at 12.5 GB/s are 3.8 s, and 42 GFLOP for each of 2,048 tokens 17 s at 5 TFLOP/s. */
    @Test
    void ranksShowWhatEachWayToDivideTheModelCostsAProcess() {
        String sent = memory("--model", "llama-7b", "--ranks", "8").out();
        assertThat(sent)
                .contains("8 ranks    formula     kept     peak    sent   100 Gb/s\n")
                .contains("data        108 GB   108 GB   130 GB   47 GB     3.77 s\n")
                .contains("zero1        61 GB    61 GB    83 GB   47 GB     3.77 s\n")
                .contains("zero2        37 GB    37 GB    60 GB   47 GB     3.77 s\n")
                .containsPattern("zero3 +13 GB +13 GB +\\d+ GB +69 GB +5\\.53 s\n")
                .contains("4 + 4 + 8 bytes per parameter");
        String step = memory(
                        "--model",
                        "llama-7b",
                        "--ranks",
                        "8,64",
                        "--bandwidth",
                        "400,0.5",
                        "--tflops",
                        "5",
                        "precision=bf16")
                .out();
        assertThat(step)
                .contains("400 Gb/s", "0.5 Gb/s", "64 ranks", "2 + 2 + 12 bytes per parameter")
                .contains("computes 2,048 tokens per rank in 16.6 s at 5 TFLOP/s")
                .containsPattern("data +108 GB +108 GB +\\d+ GB +24 GB +16.6–17.0 s +377–394 s\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-7b", "llama-13b", "llama-70b"})
    void documentedSimulationIsWhatTheCommandPrints(String model) throws IOException {
        String out = memory(
                        "--model",
                        model,
                        "--ranks",
                        "8,64,512",
                        "--bandwidth",
                        "100,400",
                        "--tflops",
                        "5",
                        "precision=bf16",
                        "activation_checkpointing=true",
                        "batch_size=1",
                        "data.max_seq_len=2048")
                .out();
        String docs = Files.readString(Path.of("..", "docs", "machines.md"));
        String tables = docs.substring(docs.indexOf("8 ranks ", docs.indexOf("`" + model + "`, ")));
        List<String> lines = tables.substring(0, tables.indexOf("\n```"))
                .lines()
                .filter(line -> !line.isEmpty())
                .toList();
        assertThat(lines).hasSizeGreaterThan(6);
        assertThat(out.lines()).containsSequence(lines.subList(0, 2)).containsAll(lines);
    }

    @Test
    void impossibleRanksAndRatesAreRejected() {
        assertRefused(memory("--ranks", "1"), 2, "--ranks must be at least 2");
        assertRefused(memory("--ranks", "2", "--bandwidth", "0"), 2, "--bandwidth and --tflops must be positive");
        assertRefused(memory("--ranks", "2", "--tflops", "NaN"), 2, "--bandwidth and --tflops must be positive");
        assertRefused(memory("--ranks", "two"), 2, "'two'");
    }

    @Test
    void compareListsVariantsAndWritesAChart() throws IOException {
        Path svg = folder.resolve("memory.svg");
        Ran ran = memory("--model", "llama-7b", "--compare", "--svg", svg);
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("AdamW, F32", "SGD with momentum, F32", "SGD, F32", "chart written to " + svg);
        assertThat(Files.readString(svg)).contains("Peak memory to train llama-7b, batches of 8 × 256 tokens");
    }

    @Test
    void unknownModelsAreRejected() throws IOException {
        assertRefused(
                memory("--model", "llama-8b"),
                2,
                "--model 'llama-8b' is neither a folder nor a config.json, nor one of llama-7b, llama-13b, llama-70b");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertRefused(memory("--model", empty), 1, "config.json is missing");
        Path electra = Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"electra\"}");
        assertRefused(memory("--model", electra), 1, "model_type is 'electra'");
        Path text = Files.writeString(folder.resolve("notes.txt"), "not JSON");
        assertRefused(memory("--model", text), 1, "notes.txt is not JSON");
    }

    @Test
    void invalidRecipesAreRejected() {
        assertRefused(
                memory("--model", "llama-7b", "data.max_seq_len=100000000"),
                2,
                "data.max_seq_len is 100000000, but the context length of the model is 2048");
        assertRefused(memory("batch_size=100000000"), 2, "a batch cannot have more than 2^31 tokens");
        assertRefused(memory("optimizer=none"), 2, "optimizer is 'none'");
        assertRefused(memory("batchsize=2"), 2, "did you mean 'batch_size'?");
        assertRefused(memory("missing.yaml"), 1, "recipe missing.yaml is missing");
    }

    @Test
    void configWithOverflowingSizesIsRejectedByKey() throws IOException {
        Path config = Files.writeString(folder.resolve("config.json"), """
            {"model_type": "llama", "vocab_size": 2147483647, "hidden_size": 2147483640,
             "intermediate_size": 2147483647, "num_hidden_layers": 1, "num_attention_heads": 1073741820,
             "max_position_embeddings": 64}
            """);
        assertRefused(memory("--model", config), 1, "vocab_size × hidden_size is 2147483647 × 2147483640");
        Path large = Files.writeString(folder.resolve("config.json"), """
            {"model_type": "llama", "vocab_size": 2147483647, "hidden_size": 16, "intermediate_size": 16,
             "num_hidden_layers": 1, "num_attention_heads": 1, "max_position_embeddings": 1000000000}
            """);
        assertRefused(
                memory("--model", large, "batch_size=2", "data.max_seq_len=1000000000"),
                2,
                "more than 2^63 bytes: check vocab_size 2147483647, hidden_size 16 and the other sizes in config.json,"
                        + " batch_size 2 and data.max_seq_len 1000000000");
    }

    @Test
    void absurdNumberOfLayersIsRejectedWithoutBuildingThem() throws IOException {
        Path config = Files.writeString(folder.resolve("config.json"), """
            {"model_type": "llama", "vocab_size": 16, "hidden_size": 16, "intermediate_size": 16,
             "num_hidden_layers": 2000000000, "num_attention_heads": 1, "max_position_embeddings": 64}
            """);
        assertRefused(memory("--model", config), 2, "num_hidden_layers or n_layer in config.json is 2000000000");
        Path model = TinyModel.write(folder.resolve("model"));
        Files.writeString(
                model.resolve("config.json"),
                Files.readString(model.resolve("config.json"))
                        .replace("\"num_hidden_layers\" : 1", "\"num_hidden_layers\" : 200000"));
        assertRefused(memory("--model", model), 1, "num_hidden_layers is 200000, but model.safetensors has 1 layer");
    }
}
