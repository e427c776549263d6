package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.train.data.ChatTemplate;
import io.gradus.train.data.DataFormat;
import io.gradus.train.data.DataFormat.Kind;
import io.gradus.train.data.LabelTemplate;
import io.gradus.train.data.Mixture;
import io.gradus.train.text.ByteTokenizer;
import io.gradus.train.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingDataTest {
    private static final DataFormat PLAIN_CHAT = new DataFormat(Kind.AUTO, ChatTemplate.PLAIN, LabelTemplate.DEFAULT);

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

    private static TrainingData read(Recipe recipe, DataOptions options) throws IOException {
        return TrainingData.read(recipe, options, new ByteTokenizer(), 16);
    }

    private static DataOptions options(
            DataFormat format, List<DataOptions.Source> sources, double mix, @Nullable Path mixText) {
        return new DataOptions(format, null, sources, mix, mixText);
    }

    private static int maskedRows(Mixture mixture) {
        return (int) IntStream.range(0, mixture.sources().getFirst().blocks().size())
                .filter(i -> mixture.sources().getFirst().blocks().get(i).documents().length > 1)
                .count();
    }

    @Test
    void examplesArePackedWholeAndTextIsAStream() throws IOException {
        Mixture examples = read(recipe(pairs(100)), options(DataFormat.AUTO, List.of(), 0, null))
                .training();
        // five tokens and the end to be predicted: three to a row of 16, and one place of padding
        assertThat(maskedRows(examples))
                .isEqualTo(examples.sources().getFirst().blocks().size())
                .isEqualTo(32);
        Mixture text = read(recipe(write("a.txt", lines(100, "line %d"))), options(DataFormat.AUTO, List.of(), 0, null))
                .training();
        assertThat(maskedRows(text)).isZero();
        assertThat(maskedRows(read(recipe(pairs(100)), DataOptions.NONE).training()))
                .isZero();
    }

    @Test
    void severalSourcesAreHeldOutFromAndWeighed() throws IOException {
        Path a = pairs(100);
        Path b = write("b.txt", lines(300, "text %d"));
        Recipe recipe = recipe(null, "data.held_out=0.1");
        TrainingData even = read(
                recipe,
                options(
                        DataFormat.AUTO,
                        List.of(new DataOptions.Source(a, null), new DataOptions.Source(b, null)),
                        0,
                        null));
        int rowsOfA = even.training().sources().get(0).blocks().size();
        int rowsOfB = even.training().sources().get(1).blocks().size();
        assertThat(even.training().share(0)).isEqualTo((double) rowsOfA / (rowsOfA + rowsOfB));
        assertThat(even.training().sources())
                .extracting(Mixture.Source::name)
                .containsExactly(a.toString(), b.toString());
        assertThat(even.evaluated()).containsKey("held_out");

        TrainingData weighed = read(
                recipe,
                options(
                        DataFormat.AUTO,
                        List.of(new DataOptions.Source(a, 3.0), new DataOptions.Source(b, 1.0)),
                        0,
                        null));
        assertThat(weighed.training().share(0)).isEqualTo(0.75);
        assertThat(weighed.training().rowsPerEpoch()).isEqualTo(rowsOfA + rowsOfB);
    }

    @Test
    void generalTextThatIsMixedInIsNotThatWhichIsEvaluated() throws IOException {
        Path general = write("general.jsonl", lines(100, "{\"text\": \"general text %03d\"}"));
        Recipe recipe = recipe(pairs(100), "data.general=" + general, "data.held_out=0.2");
        TrainingData mixed = read(recipe, options(DataFormat.AUTO, List.of(), 0.1, null));
        assertThat(mixed.training().sources())
                .extracting(Mixture.Source::name)
                .containsExactly("general text", "training text");
        assertThat(mixed.training().share(0)).isEqualTo(0.1);
        // 80 documents of 17 tokens, the end among them; and 20 to evaluate on
        assertThat(mixed.training().sources().getFirst().blocks().counted()).isEqualTo(80 * 17 - 1);
        assertThat(mixed.evaluated().get("general").counted()).isEqualTo(20 * 17 - 1);

        Path other = write("other.jsonl", lines(50, "{\"text\": \"other general %03d\"}"));
        TrainingData named = read(recipe, options(DataFormat.AUTO, List.of(), 0.1, other));
        assertThat(named.evaluated().get("general").counted()).isEqualTo(100 * 17 - 1);
        assertThat(named.training().sources().getFirst().blocks().counted()).isEqualTo(50 * 18 - 1);
        TrainingData without = read(recipe, options(DataFormat.AUTO, List.of(), 0, null));
        assertThat(without.training().sources()).hasSize(1);
    }

    @Test
    void aSampleOfAChatBeginsWithWhatComesBeforeTheFirstAnswer() throws IOException {
        String chat = "{\"messages\": [{\"role\": \"user\", \"content\": \"q%03d\"},"
                + " {\"role\": \"assistant\", \"content\": \"a\"}]}";
        Recipe recipe = recipe(write("chats.jsonl", lines(40, chat)));
        TrainingData data = TrainingData.read(recipe, options(PLAIN_CHAT, List.of(), 0, null), new ByteTokenizer(), 32);
        assertThat(data.samplePrompt()).isEqualTo("User: q019\nAssistant:");

        Files.copy(Path.of("src/test/fixtures/chat/tokenizer.json"), folder.resolve("tokenizer.json"));
        Tokenizer tokenizer = Tokenizer.load(folder);
        write("tokenizer_config.json", "{\"bos_token\": \"<|begin_of_text|>\", \"add_bos_token\": true}");
        assertThat(TrainingData.read(recipe, options(DataFormat.AUTO, List.of(), 0, null), Tokenizer.load(folder), 64)
                        .samplePrompt())
                .as("the template of the tokeniser's own special tokens, without a second bos")
                .startsWith("<|start_header_id|>user<|end_header_id|>\n\nq019<|eot_id|>");
        assertThatThrownBy(() -> TrainingData.read(recipe, options(DataFormat.AUTO, List.of(), 0, null), tokenizer, 64))
                .hasMessageContainingAll("training text", "bos");
    }

    @Test
    void optionsThatMakeNoSenseAreRefused() throws IOException {
        Path a = pairs(100);
        var source = new DataOptions.Source(a, 1.0);
        assertThatThrownBy(() -> read(recipe(a), options(DataFormat.AUTO, List.of(source), 0, null)))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("data.train and data.sources");
        assertThatThrownBy(() -> options(DataFormat.AUTO, List.of(source, new DataOptions.Source(a, null)), 0, null))
                .hasMessageContaining("1 have one");
        assertThatThrownBy(() -> new DataOptions.Source(a, 0.0)).hasMessageContaining("weight of " + a + " is 0.0");
        assertThatThrownBy(() -> options(DataFormat.AUTO, List.of(), 1, null)).hasMessageContaining("data.mix is 1.0");
        assertThatThrownBy(() -> options(DataFormat.AUTO, List.of(), 0, a)).hasMessageContaining("data.mix is 0");
        Recipe noGeneral = recipe(a, "model.path=somewhere");
        assertThatThrownBy(() -> read(noGeneral, options(DataFormat.AUTO, List.of(), 0.05, null)))
                .hasMessageContainingAll("nothing to mix in", "data.general");
    }
}
