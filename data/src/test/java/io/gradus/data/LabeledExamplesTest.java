package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.ExampleColumns.Labels;
import io.gradus.data.ExampleEncoder.Truncation;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.EncodedText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LabeledExamplesTest {
    @TempDir
    private Path folder;

    private Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    private static LabeledExample example(String text, String... labels) {
        return new LabeledExample(text, null, List.of(labels));
    }

    // ---- reading ----

    @Test
    void tablesNameTheirColumns() throws IOException {
        Path file = write("a.csv", "id,Review,other,grade\n1,\"good, very\",x,5\n2,bad,y,1\n");
        assertThat(LabeledExamples.read(file, new ExampleColumns("review", null, "grade", Labels.AUTO)))
                .containsExactly(example("good, very", "5"), example("bad", "1"));
        assertThat(LabeledExamples.read(file, new ExampleColumns("review", "other", "grade", Labels.ONE)))
                .first()
                .isEqualTo(new LabeledExample("good, very", "x", List.of("5")));
        assertThat(LabeledExamples.read(file, new ExampleColumns("review", null, null, Labels.NONE)))
                .containsExactly(example("good, very"), example("bad"));
    }

    @Test
    void labelsColumnHasAnyNumber() throws IOException {
        assertThat(LabeledExamples.read(write("a.csv", "text,labels\na,\"x, y\"\nb,\nc,x\n"), ExampleColumns.DEFAULT))
                .containsExactly(example("a", "x", "y"), example("b"), example("c", "x"));
        assertThat(LabeledExamples.read(
                        write(
                                "a.jsonl",
                                "{\"text\": \"a\", \"labels\": [\"x\", 3]}\n{\"text\": \"b\", \"labels\": []}\n"),
                        ExampleColumns.DEFAULT))
                .containsExactly(example("a", "x", "3"), example("b"));
    }

    @Test
    void jsonLinesMayHavePairsNumbersAndBooleans() throws IOException {
        Path file = write(
                "a.jsonl",
                "{\"text\": \"a\", \"text_pair\": \"b\", \"label\": true, \"x\": {}}\n{\"text\": \"c\", \"label\": 1.5}\n");
        assertThat(LabeledExamples.read(file, ExampleColumns.DEFAULT))
                .containsExactly(new LabeledExample("a", "b", List.of("true")), example("c", "1.5"));
    }

    @Test
    void filesAreNamedForTheirLabels() throws IOException {
        write("r.pos", "good .\n");
        write("r.neg", "bad .\n");
        assertThat(LabeledExamples.read(folder, ExampleColumns.DEFAULT))
                .containsExactly(example("bad .", "neg"), example("good .", "pos"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a.csv   | text,class^a,b            | with \"label\" once; it has [text, class]",
                "a.csv   | text,label^a              | it has 1 columns and the header has 2",
                "a.csv   | text,label^a,             | \"label\" must not be blank",
                "a.jsonl | {\"text\": 1, \"label\": 2} | \"text\" is 1; it must be a string",
                "a.jsonl | {\"text\": \"a\"}         | \"label\" is missing; name another key with data.label_column",
                "a.jsonl | {\"text\": \"a\", \"label\": [1]} | it must be one label",
            })
    void malformedFilesAreNamedWithTheLine(String name, String content, String problem) throws IOException {
        Path file = write(name, content.replace('^', '\n') + "\n");
        assertThatThrownBy(() -> LabeledExamples.read(file, ExampleColumns.DEFAULT))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(problem);
    }

    // ---- encoding ----

    @Test
    void longTextsKeepAQuarterFromTheBeginning() {
        int[] ids = IntStream.range(0, 1000).toArray();
        assertThat(Truncation.HEAD_TAIL.of(ids, 510))
                .hasSize(510)
                .startsWith(IntStream.range(0, 128).toArray())
                .endsWith(IntStream.range(618, 1000).toArray());
        assertThat(Truncation.HEAD.of(ids, 3)).containsExactly(0, 1, 2);
        assertThat(Truncation.TAIL.of(ids, 3)).containsExactly(997, 998, 999);
        assertThat(Truncation.HEAD_TAIL.of(ids, 1000)).isSameAs(ids);
    }

    @ParameterizedTest
    @CsvSource({"20,20,10,10", "3,20,3,17", "20,3,17,3", "3,3,3,3"})
    void theLongerTextOfAPairIsShortenedFirst(int first, int second, int ofFirst, int ofSecond) {
        ExampleEncoder encoder = new ExampleEncoder(new ByteTokenizer(), 20, Truncation.HEAD);
        ExampleEncoder.Encoded encoded = encoder.encode("a".repeat(first), "b".repeat(second));
        int[] ids = encoded.windows().getFirst().ids();
        assertThat(Arrays.stream(ids).filter(id -> id == 'a')).hasSize(ofFirst);
        assertThat(Arrays.stream(ids).filter(id -> id == 'b')).hasSize(ofSecond);
        assertThat(encoded.truncated()).isEqualTo(first + second > 20);
    }

    @Test
    void windowsShareALongTextEvenly() {
        ExampleEncoder encoder = new ExampleEncoder(new ByteTokenizer(), 10, Truncation.WINDOWS);
        assertThat(encoder.encode("a".repeat(21), null).windows())
                .extracting(window -> window.ids().length)
                .containsExactly(7, 7, 7);
        ExampleEncoder.Encoded long41 = encoder.encode("a".repeat(41), null);
        assertThat(long41.windows()).hasSize(4);
        assertThat(long41.truncated()).isTrue();
        assertThat(encoder.encode("a", null).windows()).hasSize(1);
    }

    @Test
    void windowsArePooledByTheirMean() {
        EncodedText one = EncodedText.of(new int[] {1});
        Batches.Batch batch =
                PaddedBatches.input(List.of(List.of(one, one), List.of(one), List.of(one, one, one)), 0, Device.cpu());
        Variable hidden = Variable.constant(Tensor.of(new float[] {1, 10, 3, 30, 5, 50, 1, 2, 2, 3, 6, 4}, 6, 2));
        assertThat(batch.textOfRow().toInts()).containsExactly(0, 0, 1, 2, 2, 2);
        assertThat(WindowPooling.mean(hidden, batch).value().toFloats()).containsExactly(2, 20, 5, 50, 3, 3);
    }

    // ---- batches ----

    @Test
    void batchesArePaddedToAMultipleOfEightOrTheLongestRow() {
        List<EncodedText> rows = IntStream.range(1, 21)
                .mapToObj(length -> EncodedText.of(
                        IntStream.generate(() -> length).limit(length).toArray()))
                .toList();
        PaddedBatches.Targets targets = (chosen, _, device) -> Tensor.of(device, chosen, chosen.length);
        PaddedBatches batches = new PaddedBatches(rows, targets, new PaddedBatches.Settings(3, 20, 0, 1, true));
        Batches.Batch batch = batches.batch(1, Device.cpu());
        int[] chosen = batches.rows(1);
        int longest = Arrays.stream(chosen).max().orElseThrow() + 1;
        assertThat(batch.ids().shape().toArray()).containsExactly(3, longest > 16 ? 20 : longest > 8 ? 16 : 8);
        assertThat(batch.targets().toInts()).containsExactly(chosen);
        assertThat(Arrays.stream(batch.attentionMask().toInts()).sum())
                .isEqualTo(Arrays.stream(chosen).map(row -> row + 1).sum());
        assertThat(batches.batch(1, Device.cpu()).ids().toInts())
                .containsExactly(batch.ids().toInts());
        assertThat(IntStream.range(0, 20)
                        .flatMap(i -> Arrays.stream(batches.rows(i)))
                        .boxed()
                        .toList())
                .hasSize(60) // three epochs
                .containsAll(IntStream.range(0, 20).boxed().toList());
        PaddedBatches ordered = new PaddedBatches(rows, targets, new PaddedBatches.Settings(3, 20, 0, 1, false));
        assertThat(ordered.rows(6)).containsExactly(18, 19);
        PaddedBatches single = new PaddedBatches(rows, targets, new PaddedBatches.Settings(1, 20, 0, 1, false));
        assertThat(single.batch(19, Device.cpu()).attentionMask()).isNull();
    }
}
