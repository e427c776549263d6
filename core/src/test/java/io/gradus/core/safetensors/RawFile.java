package io.gradus.core.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Handwritten safetensors files, valid or not. */
final class RawFile {

    private RawFile() {}

    static byte[] bytes(String header, byte[] data) {
        return bytes(header.getBytes(StandardCharsets.UTF_8), data);
    }

    static byte[] bytes(byte[] header, byte[] data) {
        return ByteBuffer.allocate(8 + header.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .put(data)
                .array();
    }

    /** A header entry for one tensor. */
    static String tensor(String name, String dtype, String shape, long begin, long end) {
        return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                .formatted(name, dtype, shape, begin, end);
    }

    static Path write(Path file, String header, int dataBytes) throws IOException {
        return Files.write(file, bytes(header, new byte[dataBytes]));
    }

    /** The error message for a file or folder; it must name the path. */
    static String refusal(Path path) {
        Throwable thrown = catchThrowable(() -> SafetensorsCheckpoint.open(path).close());
        assertThat(thrown).isExactlyInstanceOf(SafetensorsException.class).hasMessageStartingWith(path.toString());
        return thrown.getMessage().substring(path.toString().length());
    }

    /** Reads all tensors of a checkpoint of floats as doubles. */
    static List<double[]> readAll(SafetensorsCheckpoint checkpoint) throws IOException {
        List<double[]> values = new ArrayList<>();
        for (String name : checkpoint.names()) {
            values.add(checkpoint
                    .read(name, Device.cpu(), DType.F32, MemoryCategory.WEIGHTS)
                    .toDoubles());
        }
        return values;
    }

    static List<String> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
