package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The fixtures written by the scripts next to them, whose docstrings describe all tensors. Tensors are read in the dtype that the
 * device computes in.
 */
final class PytorchFixture implements AutoCloseable {
    static final Path FOLDER = Path.of("src/test/fixtures");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SafetensorsFile file;

    private PytorchFixture(SafetensorsFile file) {
        this.file = file;
    }

    /** The fixture of {@code generate.py}. */
    static PytorchFixture open() throws IOException {
        return open("optimizers.safetensors");
    }

    /** The fixture of {@code generate_finetuning.py}. */
    static PytorchFixture finetuning() throws IOException {
        return open("finetuning.safetensors");
    }

    private static PytorchFixture open(String file) throws IOException {
        return new PytorchFixture(SafetensorsFile.open(FOLDER.resolve(file)));
    }

    /** The names of the cases with one of these prefixes: {@code adam/} selects {@code adam/plain} and others. */
    static List<String> cases(String... kinds) throws IOException {
        try (PytorchFixture fixture = open()) {
            return fixture.casesOf(kinds);
        }
    }

    /** {@link #cases} of {@link #finetuning()}. */
    static List<String> finetuningCases(String... kinds) throws IOException {
        try (PytorchFixture fixture = finetuning()) {
            return fixture.casesOf(kinds);
        }
    }

    private List<String> casesOf(String... kinds) {
        return file.metadata().keySet().stream()
                .filter(name -> Stream.of(kinds).anyMatch(name::startsWith))
                .sorted()
                .toList();
    }

    /** The hyperparameters of a case. */
    JsonNode settings(String name) throws IOException {
        return JSON.readTree(file.metadata().get(name));
    }

    Tensor read(String name, Device device) throws IOException {
        DType dtype = device.type().equals("reference") ? DType.F64 : DType.F32;
        return file.read(name, device, dtype, MemoryCategory.WEIGHTS);
    }

    Tensor read(String name, Device device, DType dtype) throws IOException {
        return file.read(name, device, dtype, MemoryCategory.WEIGHTS);
    }

    /** The tensors {@code <name>0}, {@code <name>1} and so on. */
    List<Tensor> readAll(String name, Device device) throws IOException {
        List<Tensor> tensors = new ArrayList<>();
        while (contains(name + tensors.size())) {
            tensors.add(read(name + tensors.size(), device));
        }
        return tensors;
    }

    /** One step of a tensor recorded at each step. */
    static Tensor at(long step, Tensor steps) {
        Tensor row = steps.slice(step, step + 1);
        return row.reshape(row.shape().sub(1, row.shape().rank()));
    }

    /** @param tolerance relative to the element, absolute below 1 */
    static void assertClose(Tensor actual, Tensor expected, double tolerance, String what) {
        double[] got = actual.toDoubles();
        double[] wanted = expected.toDoubles();
        assertThat(got).as(what).hasSameSizeAs(wanted);
        for (int i = 0; i < wanted.length; i++) {
            double allowed = tolerance * Math.max(1, Math.abs(wanted[i]));
            assertThat(got[i]).as("%s, element %d", what, i).isCloseTo(wanted[i], within(allowed));
        }
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
