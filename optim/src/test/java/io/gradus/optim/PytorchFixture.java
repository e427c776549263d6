package io.gradus.optim;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What {@code generate.py} wrote: its docstring names everything. Tensors come in the dtype that the device computes
 * in.
 */
final class PytorchFixture implements AutoCloseable {
    static final Path FOLDER = Path.of("src/test/fixtures");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SafetensorsFile file;

    private PytorchFixture(SafetensorsFile file) {
        this.file = file;
    }

    static PytorchFixture open() throws IOException {
        return new PytorchFixture(SafetensorsFile.open(FOLDER.resolve("optimizers.safetensors")));
    }

    /** The names of the cases of some kinds: {@code adam/} gives {@code adam/plain} and its siblings. */
    static List<String> cases(String... kinds) throws IOException {
        try (PytorchFixture fixture = open()) {
            return fixture.file.metadata().keySet().stream()
                    .filter(name -> Stream.of(kinds).anyMatch(name::startsWith))
                    .sorted()
                    .toList();
        }
    }

    /** The hyperparameters of a case. */
    JsonNode settings(String name) throws IOException {
        return JSON.readTree(file.metadata().get(name));
    }

    Tensor read(String name, Device device) throws IOException {
        DType dtype = device.type().equals("reference") ? DType.F64 : DType.F32;
        return file.read(name, device, dtype, MemoryCategory.WEIGHTS);
    }

    boolean contains(String name) {
        return file.contains(name);
    }

    static JsonNode schedules() throws IOException {
        return JSON.readTree(FOLDER.resolve("schedules.json").toFile()).get("schedules");
    }

    @Override
    public void close() {
        file.close();
    }
}
