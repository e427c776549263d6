package io.gradus.nn.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.Device;
import io.gradus.nn.model.LanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Greedy generation with a pre-trained model equals that of another engine, token by token. */
class PretrainedLlamaTest {
    private static final Path FOLDER =
            Path.of(System.getProperty("gradus.shared", "../../shared"), "models", "stories260K");

    @ParameterizedTest(name = "cache: {0}")
    @ValueSource(booleans = {true, false})
    void greedyTextEqualsThatOfAnotherEngine(boolean cache) throws IOException {
        assumeTrue(Files.isDirectory(FOLDER), () -> FOLDER + " is missing; the test needs this model");
        int[] expected =
                new ObjectMapper().readValue(FOLDER.resolve("greedy_ids.json").toFile(), int[].class);
        LanguageModel model = LanguageModel.load(FOLDER, Device.cpu());
        var generation = new TextGeneration(Sampling.GREEDY, expected.length - 1, Set.of(2), cache);
        int[] written =
                generation.generate(model, new int[] {expected[0]}, _ -> {}).ids();
        assertThat(written).isEqualTo(Arrays.copyOfRange(expected, 1, expected.length));
    }
}
