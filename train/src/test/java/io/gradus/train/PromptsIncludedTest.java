package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.gradus.autograd.op.CrossEntropy;
import io.gradus.core.Device;
import io.gradus.data.Batches;
import io.gradus.data.Batches.Batch;
import io.gradus.data.Blocks;
import io.gradus.data.Document;
import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import io.gradus.data.Packing;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.train.guard.TrainingException;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Prompts, which are not trained on, still show whether a model knows its text. */
class PromptsIncludedTest {
    private static final int EOS = 256;
    private static final int NONE = CrossEntropy.IGNORE_INDEX;

    @TempDir
    private Path folder;

    private static Batches batches(int length, Packing packing, Document... documents) {
        return new Batches(Blocks.pack(List.of(documents), new ByteTokenizer(), length, packing, null), 2, 0, false);
    }

    @Test
    void promptsAreTargetsWithinTheirDocument() {
        Batches packed = batches(8, Packing.DOCUMENTS, new PromptCompletion("abc", "d"), new Text("ef"));
        Batch batch = new PromptsIncluded(packed, false).batch(0, Device.cpu(1));

        assertThat(packed.batch(0, Device.cpu(1)).targets().toInts())
                .containsExactly(NONE, NONE, 'd', EOS, 'f', EOS, NONE, NONE);
        assertThat(batch.ids().toInts()).containsExactly('a', 'b', 'c', 'd', 'e', 'f', EOS, EOS);
        assertThat(batch.targets().toInts()).containsExactly('b', 'c', 'd', EOS, 'f', EOS, NONE, NONE);
        assertThat(batch.counted()).isEqualTo(6);
    }

    @Test
    void textIsUnchanged() {
        Batches stream = batches(4, Packing.STREAM, new Text("abcdefghi"));
        Batch expected = stream.batch(0, Device.cpu(1));
        Batch batch = new PromptsIncluded(stream, false).batch(0, Device.cpu(1));

        assertThat(batch.ids().toInts()).isEqualTo(expected.ids().toInts());
        assertThat(batch.targets().toInts()).isEqualTo(expected.targets().toInts());
        assertThat(batch.counted()).isEqualTo(expected.counted());
    }

    @Test
    void shuffledTokensStayInTheirDocumentAndPredictEachOther() {
        Batches packed = batches(16, Packing.DOCUMENTS, new PromptCompletion("abcdefgh", "i"), new Text("12345"));
        PromptsIncluded shuffled = new PromptsIncluded(packed, true);
        int[] ids = shuffled.batch(0, Device.cpu(1)).ids().toInts();
        int[] targets = shuffled.batch(0, Device.cpu(1)).targets().toInts();

        assertThat(ids)
                .startsWith('a')
                .isNotEqualTo(packed.batch(0, Device.cpu(1)).ids().toInts());
        assertThat(List.of(ids[0], ids[1], ids[2], ids[3], ids[4], ids[5], ids[6], ids[7], ids[8]))
                .containsExactlyInAnyOrder(
                        (int) 'a', (int) 'b', (int) 'c', (int) 'd', (int) 'e', (int) 'f', (int) 'g', (int) 'h',
                        (int) 'i');
        assertThat(ids[9]).isEqualTo('1');
        for (int i = 0; i < 8; i++) {
            assertThat(targets[i]).isEqualTo(ids[i + 1]);
        }
        assertThat(targets[8]).isEqualTo(EOS);
        assertThat(targets[9]).isEqualTo(ids[10]);
    }

    // ---- with a model ----

    private static Path stories() {
        Path stories = Path.of(System.getProperty("gradus.shared", "../../shared"), "models", "stories260K");
        assumeThat(stories).as("the stories260K model").isDirectory();
        return stories;
    }

    private RunResult train(Path model, String rows) throws IOException {
        Path table = Files.writeString(folder.resolve("rows.csv"), "text,label\n" + rows.repeat(4));
        return new FineTuning(Recipe.builder()
                        .model(model)
                        .train(table)
                        .output(folder.resolve("out"))
                        .steps(1)
                        .validationSplit(0.25)
                        .sampleMaxTokens(0)
                        .build())
                .run();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "it was a good film,pos\nit was a bad film,neg\n",
                "First one here,pos\nSecond is long,neg\n",
                "12345 67890 ABC XYZ,1\n9981-22 QQ,0\n",
            })
    void labelsThatAModelHasNotSeenAreLearned(String rows) throws IOException {
        RunResult result = train(stories(), rows);
        assertThat(result.before().get("held_out")).isGreaterThan(Math.log(512) + 0.5);
        assertThat(result.after().get("held_out")).isLessThan(result.before().get("held_out"));
    }

    @Test
    void labelsWithWeightsOfAnotherVocabularyAreRejected() throws IOException {
        Path other = Files.createDirectory(folder.resolve("other"));
        try (Stream<Path> files = Files.list(stories())) {
            for (Path file : files.toList()) {
                Files.copy(file, other.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        reverseEmbedding(other.resolve("model.safetensors"));
        assertThatThrownBy(() -> train(other, "it was a good film,pos\nit was a bad film,neg\n"))
                .isInstanceOf(TrainingException.class)
                .hasMessageContainingAll("with the prompts)", "worse than guessing among 512 tokens");
    }

    /** Puts the rows of the embedding, the first tensor, in reverse order. */
    private static void reverseEmbedding(Path weights) throws IOException {
        byte[] file = Files.readAllBytes(weights);
        int begin = 8 + ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt();
        int row = 64 * Float.BYTES;
        byte[] embedding = Arrays.copyOfRange(file, begin, begin + 512 * row);
        for (int i = 0; i < 512; i++) {
            System.arraycopy(embedding, i * row, file, begin + (511 - i) * row, row);
        }
        Files.write(weights, file);
    }
}
