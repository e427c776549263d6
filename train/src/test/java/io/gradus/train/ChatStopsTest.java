package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.Device;
import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatMessage.Role;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.Prompts;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.WeightSource;
import io.gradus.nn.generate.Sampling;
import io.gradus.nn.generate.TextGeneration;
import io.gradus.nn.generate.TextGeneration.End;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.delta.Delta;
import io.gradus.train.delta.DeltaFile;
import io.gradus.train.delta.DeltaSum;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A base model that is trained on chats stops by itself, in Gradus and in programs that read the saved folder. */
class ChatStopsTest {
    private static final Path TOKENIZER = Path.of("../data/src/test/fixtures/chat/tokenizer.json");

    @TempDir
    private Path folder;

    private Path base() throws IOException {
        Path base = Files.createDirectories(folder.resolve("base"));
        Files.copy(TOKENIZER, base.resolve("tokenizer.json"));
        Files.writeString(base.resolve("tokenizer_config.json"), "{\"eos_token\": \"</s>\"}");
        int size = Tokenizer.load(base).vocabSize();
        LlamaConfig.of(size, 32, 64, 1, 2, 1, 64)
                .build(WeightSource.random(Device.cpu(1), 7))
                .save(base);
        return base;
    }

    private Recipe recipe(Path base) throws IOException {
        StringBuilder chats = new StringBuilder();
        for (String asked : List.of("hi", "no", "go", "ok")) {
            chats.append("{\"messages\": [{\"role\": \"user\", \"content\": \"")
                    .append(asked)
                    .append("\"}, {\"role\": \"assistant\", \"content\": \"yes\"}]}\n");
        }
        Path data = Files.writeString(folder.resolve("chat.jsonl"), chats);
        return Recipe.builder()
                .model(base)
                .train(data)
                .output(folder.resolve("tuned"))
                .build()
                .with(
                        "data.eval=" + data,
                        "data.chat_template=chatml",
                        "steps=60",
                        "batch_size=4",
                        "learning_rate=0.02",
                        "check_first_loss=false",
                        "sample.max_tokens=20",
                        "sample.temperature=0");
    }

    @Test
    void modelTrainedOnChatsStopsAtTheTokenThatEndsItsAnswers() throws IOException {
        Path base = base();
        Files.writeString(base.resolve("generation_config.json"), "{\"eos_token_id\": 1, \"top_k\": 5}");
        List<String> samples = new ArrayList<>();
        Recipe recipe = recipe(base);
        new FineTuning(recipe, new TrainingListener() {
                    @Override
                    public void sampled(Sample sample) {
                        samples.add(sample.text());
                    }
                })
                .run();
        assertThat(samples.getLast()).as("the sample after training").isEqualTo("yes");

        Path tuned = folder.resolve("tuned");
        Tokenizer tokenizer = Tokenizer.load(tuned);
        int end = tokenizer.encode("<|im_end|>")[0];
        JsonNode generation = json(tuned);
        assertThat(generation.get("eos_token_id")).hasToString("[1," + end + "]");
        assertThat(generation.get("top_k").intValue()).isEqualTo(5);

        ChatTemplate template = ChatTemplate.choose(null, tokenizer).orElseThrow();
        assertThat(template).hasToString("the model's own (" + tuned.resolve("chat_template.jinja") + ")");
        int[] prompt = tokenizer.encode(template.prompt(List.of(new ChatMessage(Role.USER, "hi")), Map.of()));
        var result = new TextGeneration(Sampling.GREEDY, 20, Prompts.stops(tokenizer), true)
                .generate(ModelFolder.open(tuned).load(Device.cpu(1)), prompt, _ -> {});
        assertThat(tokenizer.decode(result.ids())).isEqualTo("yes");
        assertThat(result.end()).isEqualTo(End.STOP);
    }

    @Test
    void modelFromADeltaHasTheFilesOfTheTunedOneAndStops() throws IOException {
        Path base = base();
        Files.writeString(base.resolve("generation_config.json"), "{\"eos_token_id\": 1, \"top_k\": 5}");
        Files.writeString(base.resolve("LICENSE.txt"), "as is");
        Files.createDirectories(base.resolve("additional_chat_templates"));
        Files.writeString(base.resolve("additional_chat_templates/rag.jinja"), "{{ messages }}");
        new FineTuning(recipe(base).with("sample.max_tokens=0")).run();
        Path tuned = folder.resolve("tuned");
        Path again = folder.resolve("again");
        Delta delta = Delta.diff(base, tuned, folder.resolve("delta.safetensors"));
        DeltaSum.Written written = DeltaSum.of(base).plus(delta.file(), 1).write(again);

        assertThat(written.exact()).isTrue();
        assertThat(written.contradicted()).isEmpty();
        assertThat(written.restored())
                .contains("additional_chat_templates/rag.jinja", "chat_template.jinja", "generation_config.json")
                .isEqualTo(delta.files().stream().map(DeltaFile::name).toList());
        List<String> ofTheRun = List.of("checkpoints", "metrics.jsonl", "recipe.yaml", "report.html");
        try (Stream<Path> files = Files.list(tuned)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString();
                if (!ofTheRun.contains(name)) {
                    assertThat(again.resolve(name)).hasSameBinaryContentAs(file);
                }
            }
        }
        assertThat(again.resolve("LICENSE.txt")).hasContent("as is");
        assertThat(again.resolve("additional_chat_templates")).doesNotExist();
        Tokenizer tokenizer = Tokenizer.load(again);
        ChatTemplate template = ChatTemplate.choose(null, tokenizer).orElseThrow();
        int[] prompt = tokenizer.encode(template.prompt(List.of(new ChatMessage(Role.USER, "hi")), Map.of()));
        assertThat(new TextGeneration(Sampling.GREEDY, 20, Prompts.stops(tokenizer), true)
                        .generate(ModelFolder.open(again).load(Device.cpu(1)), prompt, _ -> {})
                        .end())
                .isEqualTo(End.STOP);
    }

    @Test
    void deltasThatDisagreeOnAFileKeepTheFileOfTheBase() throws IOException {
        Path base = base();
        Files.writeString(base.resolve("generation_config.json"), "{\"eos_token_id\": 1}");
        Files.writeString(base.resolve("chat_template.jinja"), "base");
        DeltaSum sum = DeltaSum.of(base);
        for (int i = 2; i < 5; i++) {
            Path tuned = folder.resolve("tuned" + i);
            new ModelFolder(base).save(new ModelFolder(base).load(Device.cpu(1)), tuned);
            Tokenizer.load(base).save(tuned);
            Files.writeString(tuned.resolve("generation_config.json"), "{\"eos_token_id\": " + i + "}");
            Files.writeString(tuned.resolve("chat_template.jinja"), i == 4 ? "unlearned" : "tuned");
            Path delta = folder.resolve(i + ".safetensors");
            Delta.diff(base, tuned, delta);
            sum = sum.plus(delta, i == 4 ? -1 : 0.5);
        }
        Path merged = folder.resolve("merged");
        DeltaSum.Written written = sum.write(merged);

        assertThat(written.contradicted()).containsExactly("generation_config.json");
        assertThat(written.restored()).contains("chat_template.jinja").doesNotContain("generation_config.json");
        assertThat(merged.resolve("generation_config.json")).hasContent("{\"eos_token_id\": 1}");
        assertThat(merged.resolve("chat_template.jinja")).hasContent("tuned");
    }

    private static JsonNode json(Path model) throws IOException {
        return new ObjectMapper()
                .readTree(model.resolve("generation_config.json").toFile());
    }

    @Test
    void generationConfigIsCreatedIfTheModelHasNone() throws IOException {
        Path base = base();
        new FineTuning(recipe(base).with("steps=1", "sample.max_tokens=0")).run();
        Tokenizer tokenizer = Tokenizer.load(base);
        assertThat(json(folder.resolve("tuned")).get("eos_token_id"))
                .hasToString(
                        "[" + tokenizer.eos().orElseThrow() + "," + tokenizer.encode("<|im_end|>")[0] + "]");
    }
}
