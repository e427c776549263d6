package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.BatchSource;
import io.gradus.data.Batches;
import io.gradus.data.Blocks;
import io.gradus.data.Mixture;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingDataTest {
    @TempDir
    private Path folder;

    private Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    private static String lines(int count, String line) {
        return IntStream.range(0, count).mapToObj(line::formatted).collect(Collectors.joining("\n"));
    }

    private Path pairs(int count) throws IOException {
        return write("pairs.jsonl", lines(count, "{\"prompt\": \"q%03d\", \"completion\": \"a\"}"));
    }

    private static Recipe recipe(@Nullable Path train, String... more) {
        return Recipe.parse(train == null ? "" : "data: {train: '" + train + "'}", more);
    }

    private static TrainingData read(Recipe recipe) throws IOException {
        return TrainingData.read(recipe, Texts.NONE, new ByteTokenizer(), 16);
    }

    private static Blocks blocks(BatchSource batches) {
        return ((Batches) batches).mixture().sources().getFirst().blocks();
    }

    private static long counted(BatchSource batches) {
        return blocks(batches).counted();
    }

    private static int maskedRows(Mixture mixture) {
        return (int) IntStream.range(0, mixture.sources().getFirst().blocks().size())
                .filter(i -> mixture.sources().getFirst().blocks().get(i).documents().length > 1)
                .count();
    }

    @Test
    void examplesArePackedAndTextIsStreamed() throws IOException {
        Mixture examples = read(recipe(pairs(100))).training().mixture();
        // five tokens and the end to be predicted: three to a row of 16, and one place of padding
        assertThat(maskedRows(examples))
                .isEqualTo(examples.sources().getFirst().blocks().size())
                .isEqualTo(32);
        Mixture text =
                read(recipe(write("a.txt", lines(100, "line %d")))).training().mixture();
        assertThat(maskedRows(text)).isZero();
        assertThat(maskedRows(read(recipe(pairs(100), "data.packing=stream"))
                        .training()
                        .mixture()))
                .isZero();
    }

    @Test
    void severalSourcesAreSplitAndWeighted() throws IOException {
        Path a = pairs(100);
        Path b = write("b.txt", lines(300, "text %d"));
        TrainingData even = read(recipe(null, "data.validation_split=0.1", "data.sources=" + a + "," + b));
        int rowsOfA = even.training().mixture().sources().get(0).blocks().size();
        int rowsOfB = even.training().mixture().sources().get(1).blocks().size();
        assertThat(even.training().mixture().share(0)).isEqualTo((double) rowsOfA / (rowsOfA + rowsOfB));
        assertThat(even.training().mixture().sources())
                .extracting(Mixture.Source::name)
                .containsExactly(a.toString(), b.toString());
        assertThat(even.evaluation()).containsKey("held_out");

        TrainingData weighed = read(Recipe.parse("""
            data: {validation_split: 0.1, sources: [{path: '%s', weight: 3}, {path: '%s', weight: 1}]}
            """.formatted(a, b)));
        assertThat(weighed.training().mixture().share(0)).isEqualTo(0.75);
        assertThat(weighed.training().mixture().rowsPerEpoch()).isEqualTo(rowsOfA + rowsOfB);
    }

    @Test
    void replayedTextIsNotEvaluated() throws IOException {
        Path general = write("general.jsonl", lines(100, "{\"text\": \"general text %03d\"}"));
        String[] keys = {
            "max_eval_blocks=1000", "data.general=" + general, "data.validation_split=0.2", "data.replay_ratio=0.1"
        };
        TrainingData mixed = read(recipe(pairs(100), keys));
        assertThat(blocks(mixed.general().orElseThrow()))
                .isSameAs(mixed.training().mixture().sources().getFirst().blocks());
        assertThat(mixed.training().mixture().sources())
                .extracting(Mixture.Source::name)
                .containsExactly("general text", "training text");
        assertThat(mixed.training().mixture().share(0)).isEqualTo(0.1);
        // 80 documents of 17 tokens, the end among them; and 20 to evaluate on
        assertThat(mixed.training().mixture().sources().getFirst().blocks().counted())
                .isEqualTo(80 * 17 - 1);
        assertThat(counted(mixed.evaluation().get("general"))).isEqualTo(20 * 17 - 1);

        Path other = write("other.jsonl", lines(50, "{\"text\": \"other general %03d\"}"));
        TrainingData named = read(recipe(
                pairs(100),
                Stream.concat(Stream.of(keys), Stream.of("data.replay=" + other))
                        .toArray(String[]::new)));
        assertThat(counted(named.evaluation().get("general"))).isEqualTo(100 * 17 - 1);
        assertThat(named.training().mixture().sources().getFirst().blocks().counted())
                .isEqualTo(50 * 18 - 1);
        TrainingData without = read(recipe(pairs(100), "data.general=" + general));
        assertThat(without.training().mixture().sources()).hasSize(1);
        assertThat(without.general()).isEmpty();
        TrainingData looked = read(recipe(pairs(100), "data.general=" + general, "data.validation_split=0.2", "ewc=1"));
        assertThat(looked.training().mixture().sources()).hasSize(1);
        assertThat(counted(looked.general().orElseThrow())).isEqualTo(80 * 17 - 1);
        assertThat(counted(looked.evaluation().get("general"))).isEqualTo(20 * 17 - 1);
    }

    @Test
    void samplePromptOfAChatEndsBeforeTheFirstAnswer() throws IOException {
        String chat = "{\"messages\": [{\"role\": \"user\", \"content\": \"q%03d\"},"
                + " {\"role\": \"assistant\", \"content\": \"a\"}]}";
        Recipe recipe = recipe(write("chats.jsonl", lines(40, chat)));
        Recipe plain = recipe(folder.resolve("chats.jsonl"), "data.chat_template=plain");
        TrainingData data = TrainingData.read(plain, Texts.NONE, new ByteTokenizer(), 32);
        assertThat(new ByteTokenizer().spell(data.samplePrompt().orElseThrow())).isEqualTo("User: q019\nAssistant:");
        assertThat(data.stopIds()).containsExactly(256);
        assertThat(data.chatTemplate()).hasToString("Optional[plain (built in)]");

        Files.copy(Path.of("../data/src/test/fixtures/chat/tokenizer.json"), folder.resolve("tokenizer.json"));
        Tokenizer tokenizer = Tokenizer.load(folder);
        write("tokenizer_config.json", "{\"bos_token\": \"<|begin_of_text|>\", \"add_bos_token\": true}");
        assertThat(tokenizer.spell(TrainingData.read(recipe, Texts.NONE, Tokenizer.load(folder), 64)
                        .samplePrompt()
                        .orElseThrow()))
                .as("the template of the tokenizer's own special tokens, with one bos")
                .startsWith("<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nq019<|eot_id|>");
        assertThatThrownBy(() -> TrainingData.read(recipe, Texts.NONE, tokenizer, 64))
                .hasMessageContainingAll("chats.jsonl:1", "llama3 begins with bos_token");
    }
}
