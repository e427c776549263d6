package io.gradus.data.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Vectors of texts, compared with those of sentence-transformers; {@code generate.py} beside the fixture made them. */
class TextEmbedderTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures/embedder");
    private static final Path TINY = FIXTURES.resolve("tiny");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path copy;

    private static JsonNode expected() throws IOException {
        return JSON.readTree(FIXTURES.resolve("expected.json").toFile());
    }

    private static List<String> texts() throws IOException {
        List<String> texts = new ArrayList<>();
        expected().path("texts").forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static void assertVectors(List<float[]> ours, JsonNode theirs) {
        assertThat(ours).hasSize(theirs.size());
        for (int text = 0; text < theirs.size(); text++) {
            assertThat(ours.get(text)).hasSize(theirs.path(text).size());
            for (int i = 0; i < ours.get(text).length; i++) {
                assertThat((double) ours.get(text)[i])
                        .as("text %d, element %d", text, i)
                        .isCloseTo(theirs.path(text).path(i).doubleValue(), within(1e-5));
            }
        }
    }

    private void copyTiny() throws IOException {
        try (Stream<Path> files = Files.walk(TINY)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path target = copy.resolve(TINY.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
    }

    @Test
    void vectorsAreThoseOfSentenceTransformers() throws IOException {
        TextEmbedder embedder = TextEmbedder.load(TINY);
        assertThat(embedder.dimension()).isEqualTo(12);
        assertThat(embedder.settings().maxLength()).isEqualTo(16);
        assertVectors(embedder.embed(texts()), expected().path("normalized"));
        for (int i = 0; i < texts().size(); i++) { // without padding
            float[] alone = embedder.embed(texts().get(i));
            assertVectors(
                    List.of(alone),
                    JSON.createArrayNode().add(expected().path("normalized").path(i)));
            assertThat(TextEmbedder.cosine(alone, alone)).isCloseTo(1, within(1e-6));
        }
    }

    @ParameterizedTest
    @EnumSource
    void eachPoolingIsThatOfSentenceTransformers(Pooling pooling) throws IOException {
        copyTiny();
        Files.delete(copy.resolve("modules.json"));
        EmbedderSettings settings = new EmbedderSettings(pooling, false, 16, false, "");
        settings.write(copy, 12);
        assertThat(EmbedderSettings.read(copy)).isEqualTo(settings);
        assertVectors(TextEmbedder.load(copy).embed(texts()), expected().path(pooling.toString()));
    }

    @Test
    void writtenSettingsReadTheSame() throws IOException {
        copyTiny();
        EmbedderSettings settings = new EmbedderSettings(Pooling.MAX, true, 9, true, "query: ");
        settings.write(copy, 12);
        assertThat(EmbedderSettings.read(copy)).isEqualTo(settings);
        assertThat(EmbedderSettings.read(TINY)).isEqualTo(EmbedderSettings.of(16));
    }

    /** As in older versions, whose {@code config.json} of the whole has nothing but versions. */
    private void moveNetworkToItsOwnFolder() throws IOException {
        Path network = Files.createDirectory(copy.resolve("0_Transformer"));
        try (Stream<Path> files = Files.list(copy)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                if (!file.endsWith("modules.json")) {
                    Files.move(file, network.resolve(file.getFileName()));
                }
            }
        }
        Files.writeString(copy.resolve("config.json"), "{\"__version__\": \"0.3.0\"}");
        Path modules = copy.resolve("modules.json");
        Files.writeString(modules, Files.readString(modules).replace("\"path\": \"\"", "\"path\": \"0_Transformer\""));
    }

    @Test
    void networkInAFolderOfItsOwnHasTheSameVectors() throws IOException {
        copyTiny();
        moveNetworkToItsOwnFolder();
        assertVectors(TextEmbedder.load(copy).embed(texts()), expected().path("normalized"));
        assertThat(EmbedderSettings.read(copy.resolve("0_Transformer"))).isEqualTo(EmbedderSettings.of(16));
        assertThat(EmbedderSettings.saved(copy.resolve("1_Pooling"))).isEmpty(); // no network
    }

    @Test
    void networkOutsideOfTheFolderIsRejected() throws IOException {
        copyTiny();
        Path modules = copy.resolve("modules.json");
        String valid = Files.readString(modules);
        for (String elsewhere : List.of("../other", "/tmp", "\\u0000")) {
            Files.writeString(modules, valid.replace("\"path\": \"\"", "\"path\": \"" + elsewhere + "\""));
            assertThatThrownBy(() -> TextEmbedder.load(copy))
                    .as(elsewhere)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(modules.toString());
        }
    }

    @Test
    void promptAndLowerCaseChangeWhatIsRead() throws IOException {
        copyTiny();
        new EmbedderSettings(Pooling.MEAN, true, 16, true, "The dog ").write(copy, 12);
        assertThat(TextEmbedder.load(copy).embed("sat on the MAT"))
                .containsExactly(TextEmbedder.load(TINY).embed("The dog sat on the mat"));
    }

    @Test
    void folderWithoutModulesHasTheMeanOfHiddenStates() throws IOException {
        copyTiny();
        Files.delete(copy.resolve("modules.json"));
        List<String> few = texts().subList(0, 2); // that fit into the context
        List<float[]> vectors = TextEmbedder.load(copy).embed(few);
        JsonNode means = JSON.createArrayNode()
                .add(expected().path("mean").path(0))
                .add(expected().path("mean").path(1));
        assertVectors(vectors, means);
    }

    @Test
    void unsupportedPartsAreNamed() throws IOException {
        copyTiny();
        Path modules = copy.resolve("modules.json");
        Files.writeString(modules, Files.readString(modules).replace("models.Normalize", "models.Dense"));
        assertThatThrownBy(() -> TextEmbedder.load(copy))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(modules.toString(), "Dense");
        Files.writeString(modules, Files.readString(modules).replace("models.Dense", "models.Normalize"));
        Path pooling = copy.resolve("1_Pooling").resolve("config.json");
        Files.writeString(pooling, "{\"pooling_mode_lasttoken\": true}");
        assertThatThrownBy(() -> TextEmbedder.load(copy))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(pooling.toString(), "pooling_mode_lasttoken", "mean, cls, max");
        Files.writeString(pooling, "{");
        assertThatThrownBy(() -> TextEmbedder.load(copy))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(pooling.toString());
    }

    @Test
    void threadsShareAnEmbedder() throws Exception {
        TextEmbedder embedder = TextEmbedder.load(TINY);
        List<String> texts = Stream.iterate(1, i -> i + 1)
                .limit(20)
                .map(i -> "cat ".repeat(i % 7) + "dog")
                .toList();
        List<float[]> alone = texts.stream().map(embedder::embed).toList();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<float[]>> futures = new ArrayList<>();
            for (String text : texts) {
                Callable<float[]> one = () -> embedder.embed(text);
                futures.add(threads.submit(one));
            }
            for (int i = 0; i < texts.size(); i++) {
                assertThat(futures.get(i).get()).containsExactly(alone.get(i));
            }
        }
    }

    @Test
    void cosineOfVectors() {
        assertThat(TextEmbedder.cosine(new float[] {3, 0}, new float[] {1, 1})).isCloseTo(Math.sqrt(0.5), within(1e-9));
        assertThat(TextEmbedder.cosine(new float[] {0, 0}, new float[] {1, 1})).isZero();
        assertThatThrownBy(() -> TextEmbedder.cosine(new float[1], new float[2]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 and 2 elements");
    }
}
