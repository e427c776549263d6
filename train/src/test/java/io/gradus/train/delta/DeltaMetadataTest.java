package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.core.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file whose metadata is of another kind or does not account for its tensors is refused with the reason. */
class DeltaMetadataTest {
    @TempDir
    private Path folder;

    private Path file = Path.of("");
    private Map<String, String> metadata = Map.of();

    @BeforeEach
    void write() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F32, 1, 2);
        Path tuned = TestModel.single(folder.resolve("tuned"), DType.F32, 1, 3);
        file = Delta.diff(base, tuned, folder.resolve("delta.safetensors")).file();
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            metadata = opened.metadata();
        }
    }

    private void assertRefused(Map<String, String> changed, List<NamedTensor> tensors, String... message)
            throws IOException {
        SafetensorsWriter.write(file, tensors, changed);
        assertThatThrownBy(() -> Delta.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContainingAll(message);
    }

    private void assertRefused(String key, String from, String to, String... message) throws IOException {
        Map<String, String> changed = new HashMap<>(metadata);
        changed.compute(key, (_, value) -> String.valueOf(value).replace(from, to));
        assertRefused(changed, difference(), message);
    }

    private static List<NamedTensor> difference() {
        return List.of(NamedTensor.of("w", Tensor.of(new float[] {0, 1}, 2)));
    }

    @Test
    void otherFileIsNotADelta() throws IOException {
        assertRefused(Map.of("format", "pt"), difference(), "it is not a delta", "./gradus delta diff");
        assertRefused("format_version", "1", "2", "version 2", "reads version 1");
    }

    @Test
    void damagedMetadataIsNamed() throws IOException {
        assertRefused("tensors", "[{", "[", "its metadata is damaged", "make it again");
        assertRefused("tensors", "\"changed\"", "\"altered\"", "its metadata is damaged", "changed");
        assertRefused("tensors", "\"dtype\":\"F32\"", "\"dtype\":\"I32\"", "I32 is not a dtype of a delta");
        assertRefused("tensors", "\"dtype\":\"F32\"", "\"dtype\":\"X\"", "its metadata is damaged");
        assertRefused("tensors", "\"squares\":1.0", "\"squares\":1e999", "squares is Infinity");
        assertRefused("files", "{}", "{\"../x\":\"\"}", "a model has no file '../x'");
        assertRefused("files", "{}", "{\"config.json\":\"?\"}", "its metadata is damaged");
        Map<String, String> unnamed = new HashMap<>(metadata);
        unnamed.remove("base.sha256");
        assertRefused(unnamed, difference(), "does not name the base model");
    }

    @Test
    void tensorsMustMatchTheMetadata() throws IOException {
        assertRefused(metadata, List.of(), "the tensor 'w' is missing");
        assertRefused(
                metadata,
                List.of(NamedTensor.of("w", Tensor.of(new float[3], 3))),
                "the tensor 'w' is F32 [3] and should be F32 [2]");
        assertRefused(
                metadata,
                List.of(difference().getFirst(), NamedTensor.of("v", Tensor.of(new float[3], 3))),
                "it lists 1 tensors and the file has 2");
        assertRefused("tensors", "\"corrections\":0", "\"corrections\":1", "w@corrected_at' is missing");
        assertRefused("tensors", "\"corrections\":0", "\"corrections\":-1", "corrections");
        assertRefused("tensors", "\"corrections\":0", "\"corrections\":3", "corrections");
    }
}
