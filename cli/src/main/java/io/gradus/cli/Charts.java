package io.gradus.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Files that {@code --svg} names. */
final class Charts {
    private Charts() {}

    /** Requires that the file can be written, before the command computes for minutes what to write. */
    static void requireWritable(@Nullable Path svg, CommandSpec spec) {
        if (svg == null) {
            return;
        }
        if (Files.isDirectory(svg)) {
            throw new ParameterException(spec.commandLine(), "--svg " + svg + " is a folder; name a file");
        }
        Path existing = svg.toAbsolutePath();
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        if (!Files.isWritable(existing) || !Files.isDirectory(existing) && !existing.equals(svg.toAbsolutePath())) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--svg " + svg + " cannot be written: " + existing + " is not a folder, or is read-only");
        }
    }
}
