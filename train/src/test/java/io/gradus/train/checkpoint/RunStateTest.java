package io.gradus.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.train.guard.EarlyStopping;
import io.gradus.train.guard.SpikeGuard;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written is read back to the bit, and what an older file does not say has a meaning. */
class RunStateTest {
    @TempDir
    private Path folder;

    private RunState read(String json) throws IOException {
        return RunState.read(Files.writeString(folder.resolve("state.json"), json));
    }

    @Test
    void runStateIsReadBack() throws IOException {
        RunState state = new RunState(
                1_000_001,
                2_000_000,
                Recipe.defaults().toMap(),
                Map.of("optimizer", "AdamW"),
                new Inputs(List.of(new InputFile("data.train", "a/b.txt", 5_000_000_000L, "0a1b"))),
                Map.of("held_out", 1.0 / 3, "general", Math.PI),
                new SpikeGuard.State(List.of(0.1, Double.MIN_VALUE, 1e300 / 3), 2, 7),
                new EarlyStopping.State(50, Math.E, 1),
                null);

        assertThat(read(state.toJson())).isEqualTo(state);
        assertThat(read(RunState.BEGINNING.toJson())).isEqualTo(RunState.BEGINNING);
    }

    @Test
    void missingPartsGetTheirDefaults() throws IOException {
        RunState state = read("{\"step\": 4, \"recipe\": {\"steps\": \"6\"}, \"before\": {\"held_out\": 2.5}}");

        assertThat(state)
                .isEqualTo(new RunState(
                        4,
                        null,
                        Map.of("steps", "6"),
                        Map.of(),
                        Inputs.UNKNOWN,
                        Map.of("held_out", 2.5),
                        SpikeGuard.State.NONE,
                        EarlyStopping.State.NONE,
                        null));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{}", "[]", "{\"step\": \"4\"}", "{\"step\": 4, \"best\": 3}"})
    void malformedStateIsRejected(String json) {
        assertThatThrownBy(() -> read(json)).isInstanceOf(IOException.class);
    }
}
