package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests all commands. Each mistake must give one message, the right exit code and no stack trace. */
class MainTest {
    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        model = TinyModel.write(folder.resolve("model"));
        text = TinyModel.writeText(folder.resolve("text.txt"), 100);
    }

    /** The exit code and the output of a command. */
    private record Ran(int code, String out, String err) {

        /** Asserts the exit code and a single line on standard error, without a stack trace. */
        void assertFailed(int expected, String message) {
            assertThat(err).as("standard error").contains(message).doesNotContain("\tat ", "Exception");
            assertThat(err.strip().lines()).hasSize(1);
            assertThat(code).isEqualTo(expected);
        }

        /** Asserts a usage error: one line and a pointer to --help. */
        void assertMisused(String message) {
            assertThat(err).contains(message).doesNotContain("\tat ", "Exception");
            assertThat(err.strip().lines().toList().getLast())
                    .startsWith("Try './gradus")
                    .endsWith("--help'.");
            assertThat(out).isEmpty();
            assertThat(code).isEqualTo(2);
        }
    }

    private static Ran gradus(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = Stream.of(args).map(Object::toString).toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), words);
        return new Ran(code, out.toString(), err.toString());
    }

    private Ran finetune(Object... overrides) {
        List<Object> args = new ArrayList<>(List.of(
                "finetune",
                "model.path=" + model,
                "data.train=" + text,
                "output=" + folder.resolve("out"),
                "steps=3",
                "batch_size=4",
                "max_eval_blocks=2",
                "sample.max_tokens=4",
                "warmup_ratio=0"));
        args.addAll(List.of(overrides));
        return gradus(args.toArray());
    }

    private static Path stories260K() {
        Path folder = Path.of(System.getProperty("gradus.shared", "../../shared"), "models", "stories260K");
        assumeTrue(Files.isDirectory(folder), folder + " is absent");
        return folder;
    }

    // ---- help and misuse ----

    @ParameterizedTest
    @ValueSource(
            strings = {"", "finetune", "generate", "chat", "evaluate", "inspect", "memory", "delta", "export", "devices"
            })
    void helpHasExamples(String command) {
        Ran ran = command.isEmpty() ? gradus("--help") : gradus(command, "--help");

        assertThat(ran.code()).isZero();
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out())
                .contains("Usage: gradus", "Examples:", "  ./gradus " + (command.isEmpty() ? "finetune" : command));
        assertThat(ran.out().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
    }

    @Test
    void missingOrUnknownCommandIsAUsageError() {
        gradus().assertMisused("Missing command. Available commands: finetune, lr, generate, chat, evaluate, predict,"
                + " inspect, memory, study, delta, export, devices.");
        gradus("study").assertMisused("Missing study. Available studies: forgetting, memory, ulmfit.");
        gradus("study", "memory").assertMisused("Missing required option: '--output=FOLDER'");
        gradus("export").assertMisused("Missing command. Available commands: gguf, ollama.");
        gradus("export", "gguf", "--model", "x").assertMisused("Missing required option: '--out=FILE'");
        gradus("finetun").assertMisused("finetune");
        gradus("evaluate").assertMisused("Missing required option: '--data=PATH'");
        gradus("inspect").assertMisused("Missing required parameter: 'PATH'");
        gradus("generate", "--promt", "x").assertMisused("--promt");
        gradus("generate", "--max-tokens", "many").assertMisused("--max-tokens");
        gradus("devices", "all").assertMisused("all");
    }

    @ParameterizedTest
    @CsvSource({"--temperature, -1", "--top-k, -1", "--top-p, 0", "--max-tokens, -1", "--threads, 0", "--device, tpu"})
    void generateNamesAnOptionThatIsOutOfRange(String option, String value) {
        gradus("generate", "--model", model, option, value).assertMisused(option + " is ");
    }

    @Test
    void generateRejectsAPromptLongerThanTheContextBeforeItPrintsIt() {
        gradus("generate", "--model", model, "--prompt", "a ".repeat(500_000))
                .assertMisused("--prompt has 1,000,000 tokens, but the context length of the model is 32; shorten it");
    }

    @Test
    void chatIsWrittenWithTheTemplateOfTheModel() throws IOException {
        gradus("generate", "--model", model, "--prompt", "hi", "--chat")
                .assertMisused("a chat needs a model with a chat template");
        Files.writeString(
                model.resolve("chat_template.jinja"),
                "{% if messages[0].role != 'system' %}Be kind.\n{% endif %}{% for m in messages %}{{ m.role | upper }}:"
                        + " {{ m.content | trim }}\n{% endfor %}{% if add_generation_prompt %}AI:{% endif %}");
        Ran chat = gradus("generate", "--model", model, "--prompt", "  hi ", "--chat", "--max-tokens", 0);
        assertThat(chat.out()).isEqualTo("Be kind.\nUSER: hi\nAI:" + System.lineSeparator());
        assertThat(gradus("generate", "--model", model, "--prompt", "  hi ", "--max-tokens", 0)
                        .out())
                .isEqualTo("  hi " + System.lineSeparator());
        assertThat(gradus("generate", "--model", model, "--prompt", "hi", "--chat", "--max-tokens", 3)
                        .out())
                .startsWith("Be kind.\nUSER: hi\nAI:");

        Files.writeString(model.resolve("chat_template.jinja"), "{{ raise_exception('no chats today') }}");
        Ran rejected = gradus("generate", "--model", model, "--prompt", "hi", "--chat");
        assertThat(rejected.err()).contains(model.resolve("chat_template.jinja") + ":1", "no chats today");
        assertThat(rejected.code()).isOne();
    }

    @Test
    void evaluateRejectsInvalidBatchAndBlockSizes() {
        gradus("evaluate", "--model", model, "--data", text, "--batch-size", 0)
                .assertMisused("--batch-size is 0; it must be at least 1");
        for (int length : new int[] {1, 33}) {
            gradus("evaluate", "--model", model, "--data", text, "--block-length", length)
                    .assertMisused("--block-length is " + length + "; it must be from 2 to the model's context, 32");
        }
    }

    @Test
    void evaluateReadsChatsAndPrintsLabelAccuracy() throws IOException {
        Path labeled = Files.writeString(
                folder.resolve("reviews.csv"), "text,label\nthe moon.,good\na sea.,bad\nthe cat.,good\n");
        Ran evaluated = gradus("evaluate", "--model", model, "--data", labeled, "--format", "csv", "--accuracy");
        assertThat(evaluated.err()).isEmpty();
        assertThat(evaluated.out()).containsPattern("accuracy +\\d+\\.\\d\\d % \\(\\d of 3 texts\\)");
        gradus("evaluate", "--model", model, "--data", labeled, "--accuracy").assertMisused("--format csv");

        Path chats = Files.writeString(
                folder.resolve("chats.jsonl"),
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\":"
                        + " \"bc\"}]}");
        Ran chat = gradus("evaluate", "--model", model, "--data", chats, "--chat-template", "plain");
        assertThat(chat.out()).containsPattern("tokens +4 in 1 block of 32");
        assertThat(gradus("evaluate", "--model", model, "--data", chats, "--chat-template", "llama3")
                        .err())
                .contains("<|start_header_id|>");
        assertThat(gradus("evaluate", "--model", model, "--data", chats).err()).contains("data.chat_template");
        assertThat(gradus("evaluate", "--model", model, "--data", chats, "--chat-template", "mine")
                        .err())
                .contains("chat_template is mine", "llama2");
    }

    @Test
    void evaluateUsesTheLabelTemplate() throws IOException {
        Path labeled = Files.writeString(
                folder.resolve("reviews.csv"), "text,label\nthe moon.,good\na sea.,bad\nthe cat.,good\n");
        Object[] arguments = {"evaluate", "--model", model, "--data", labeled, "--format", "csv", "--accuracy"};
        Ran evaluated = gradus(arguments);
        assertThat(evaluated.out()).contains("labels as   {text}\\nLabel: {label}");

        List<Object> own = new ArrayList<>(List.of(arguments));
        own.addAll(List.of("--label-prompt", "is it: {text}?", "--label-completion", " it is {label}"));
        Ran other = gradus(own.toArray());
        assertThat(other.err()).isEmpty();
        assertThat(other.out()).contains("labels as   is it: {text}? it is {label}");
        assertThat(loss(other)).isNotEqualTo(loss(evaluated));

        own.set(own.indexOf("is it: {text}?"), "is it?");
        gradus(own.toArray()).assertMisused("it must contain {text}");
        gradus("evaluate", "--model", model, "--data", text, "--label-prompt", "{text}:")
                .assertMisused("--label-prompt requires labeled texts: add --format csv");
    }

    @Test
    void showKeysListsRecipeKeys() {
        Ran ran = gradus("finetune", "--show-keys");

        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("learning_rate: ", "max_grad_norm: ", "  validation_split: ");
    }

    // ---- successful commands ----

    @Test
    void finetuneEvaluateInspectAndGenerateWorkTogether() {
        Ran finetuned = finetune("steps=30", "learning_rate=0.02");
        assertThat(finetuned.err()).isEmpty();
        assertThat(finetuned.code()).isZero();
        assertThat(finetuned.out())
                .contains("parameters, all trained", "── before ──", "step 30/30", "── after 30 steps ──")
                .containsPattern("held-out text +5\\.\\d{4} +[1-4]\\.\\d{4} +-\\d+\\.\\d%")
                .contains("saved       " + folder.resolve("out"));
        assertThat(folder.resolve("out/report.html")).content().contains("fine-tuned on text.txt");

        Ran before = gradus("evaluate", "--model", model, "--data", text);
        Ran after = gradus("evaluate", "--model", folder.resolve("out"), "--data", text, "--batch-size", 3);
        assertThat(after.code()).isZero();
        assertThat(after.out()).containsPattern("(?s)loss +\\d\\.\\d{7} nats per token.*perplexity +.*tokens +[\\d,]+");
        assertThat(loss(after)).isLessThan(loss(before) - 1);

        Ran inspected = gradus("inspect", folder.resolve("out"));
        assertThat(inspected.code()).isZero();
        assertThat(inspected.out())
                .contains("\"vocab_size\" : 257", "model.embed_tokens.weight", "[257, 16]", "F32: ")
                .containsPattern("\\d+ tensors, [\\d,]+ numbers");

        Ran generated = gradus(
                "generate", "--model", folder.resolve("out"), "--prompt", "@The", "--max-tokens", 8, "--seed", 3);
        assertThat(generated.code()).isZero();
        assertThat(generated.out()).startsWith("@The").hasSizeGreaterThan(4);
        assertThat(gradus(
                        "generate",
                        "--model",
                        folder.resolve("out"),
                        "--prompt",
                        "@The",
                        "--max-tokens",
                        8,
                        "--seed",
                        3))
                .isEqualTo(generated);
    }

    private static double loss(Ran ran) {
        return Double.parseDouble(ran.out().lines().findFirst().orElseThrow().split(" +")[1]);
    }

    @Test
    void recipeFileIsReadAndResumed() throws IOException {
        Path recipe =
                Files.writeString(folder.resolve("recipe.yaml"), """
                    model: {path: '%s'}
                    data: {train: '%s'}
                    output: '%s'
                    steps: 4
                    save_steps: 2
                    sample: {max_tokens: 0}
                    """.formatted(model, text, folder.resolve("out")));

        assertThat(gradus("finetune", recipe).code()).isZero();
        gradus("finetune", recipe).assertFailed(2, "already holds a run");
        Ran resumed = gradus("finetune", recipe, "--resume", "save_total_limit=2");
        assertThat(resumed.code()).isZero();
        assertThat(resumed.out()).contains("resuming   after step 2 of 4");
    }

    @Test
    void devicesListsCpuAndGpu() {
        Ran ran = gradus("devices");

        assertThat(ran.code()).isZero();
        assertThat(ran.out()).startsWith("cpu ").contains("threads", "gpu ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--threads=2", "--no-cache"})
    void greedyTextOfAPretrainedModelEqualsTheReference(String option) throws IOException {
        Path stories = stories260K();

        Ran ran =
                gradus("generate", "--model", stories, "--prompt", "", "--temperature", 0, "--max-tokens", 200, option);

        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).isEqualTo(Files.readString(stories.resolve("greedy.txt")) + System.lineSeparator());
        assertThat(ran.code()).isZero();
    }

    // ---- errors ----

    private void assertNothingWritten() {
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void misspelledKeyGivesOneMessage() {
        finetune("learing_rate=1").assertFailed(2, "unknown key 'learing_rate'; did you mean 'learning_rate'?");
        finetune("steps=abc").assertFailed(2, "steps is 'abc'; it must be a whole number");
        finetune("recipe.yaml").assertFailed(2, "'recipe.yaml' is not key=value");
        assertNothingWritten();
    }

    @Test
    void missingFileGivesOneMessage() {
        finetune("model.path=nowhere").assertFailed(1, "model nowhere is missing");
        finetune("data.train=nowhere.txt").assertFailed(1, "nowhere.txt is missing");
        gradus("finetune", "nowhere.yaml").assertFailed(1, "recipe nowhere.yaml is missing");
        gradus("generate", "--model", "nowhere").assertFailed(1, "model nowhere is missing");
        gradus("evaluate", "--model", model, "--data", "nowhere.txt").assertFailed(1, "nowhere.txt is missing");
        gradus("inspect", "nowhere").assertFailed(1, "nowhere");
        assertNothingWritten();
    }

    @Test
    void missingModelFilesGiveOneMessage() throws IOException {
        for (String file : List.of("config.json", "tokenizer.json", "model.safetensors")) {
            byte[] content = Files.readAllBytes(model.resolve(file));
            Files.delete(model.resolve(file));
            finetune().assertFailed(1, file);
            Files.write(model.resolve(file), new byte[] {'{'});
            finetune().assertFailed(1, file);
            Files.write(model.resolve(file), content);
        }
        assertNothingWritten();
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 15, 32})
    void wrongHiddenSizeGivesOneMessage(int size) throws IOException {
        Path config = model.resolve("config.json");
        Files.writeString(
                config, Files.readString(config).replace("\"hidden_size\" : 16", "\"hidden_size\" : " + size));

        Ran ran = finetune();
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("hidden_size").doesNotContain("\tat ", "Exception");
        assertThat(ran.err().lines()).hasSizeLessThanOrEqualTo(3); // a list of the tensors that do not fit
        assertNothingWritten();
    }

    @Test
    void emptyTextGivesOneMessage() throws IOException {
        text = Files.writeString(folder.resolve("empty.txt"), "");
        finetune().assertFailed(1, text + ": it is empty");
        gradus("evaluate", "--model", model, "--data", text).assertFailed(1, text + ": it is empty");
        Files.writeString(text, "few");
        finetune().assertFailed(1, "data.validation_split=0.05 of so short a text leaves nothing to evaluate on");
        assertNothingWritten();
    }

    @Test
    void emptyCompletionGivesOneMessage() throws IOException {
        text = Files.writeString(
                folder.resolve("masked.jsonl"), "{\"prompt\": \"a long question\", \"completion\": \"\"}\n".repeat(50));

        finetune().assertFailed(1, text + ":1: \"completion\" must be a string and must not be blank");
        assertNothingWritten();
    }

    @Test
    void tooHighLearningRateGivesOneMessage() throws IOException {
        finetune("learning_rate=1e9", "steps=10").assertFailed(1, "a lower learning_rate (now 1.0E9)");

        assertThat(folder.resolve("out/model.safetensors")).doesNotExist();
        try (Stream<Path> files = Files.list(folder.resolve("out"))) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("metrics.jsonl", "recipe.yaml", "report.html");
        }
    }

    @Test
    void tooHighLearningRateForAPretrainedModelGivesOneMessage() {
        model = stories260K();
        for (String rate : List.of("1e9", "3")) {
            finetune("learning_rate=" + rate, "data.max_seq_len=32", "output=" + folder.resolve("lr" + rate))
                    .assertFailed(1, "a lower learning_rate (now " + Double.parseDouble(rate) + ")");
        }
    }

    @Test
    void unwritableOutputGivesOneMessage() {
        finetune("output=" + text).assertFailed(1, "output " + text + " is a file; name a folder");
        finetune("output=" + text + "/below").assertFailed(1, text.toString());
    }

    @Test
    void tokenizerOfAnotherModelGivesOneMessage() {
        model = TinyModel.write(folder.resolve("bytes"), LlamaConfig.of(256, 16, 24, 1, 2, 1, 32));

        finetune().assertFailed(2, "the tokenizer belongs to another model");
        assertNothingWritten();
    }
}
