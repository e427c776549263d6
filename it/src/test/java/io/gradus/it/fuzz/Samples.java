package io.gradus.it.fuzz;

import io.gradus.core.Device;
import io.gradus.core.Scope;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Valid files to begin with. */
final class Samples {
    static final Device CPU = Device.cpu(1);

    private Samples() {}

    /** Writes a folder. */
    @FunctionalInterface
    interface Writer {
        void write(Path folder) throws IOException;
    }

    /** The files that are written to a folder, with their paths in it. */
    static Map<String, byte[]> files(Writer writer) {
        try {
            Path folder = Files.createTempDirectory("gradus-fuzz");
            try {
                writer.write(folder);
                return read(folder);
            } finally {
                Workspace.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, byte[]> read(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.filter(Files::isRegularFile).toList()) {
                files.put(folder.relativize(path).toString(), Files.readAllBytes(path));
            }
        }
        return files;
    }

    static Map<String, byte[]> llama() {
        return model(LlamaConfig.of(12, 8, 12, 1, 2, 1, 16));
    }

    static Map<String, byte[]> gpt2() {
        return model(Gpt2Config.of(12, 8, 1, 2, 16));
    }

    private static Map<String, byte[]> model(ModelConfig config) {
        return files(folder -> {
            try (Scope _ = Scope.open("sample")) {
                config.build(WeightSource.random(CPU, 7)).save(folder);
            }
        });
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] file) {
        return new String(file, StandardCharsets.UTF_8);
    }
}
