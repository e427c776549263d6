package io.gradus.cli;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A small file system for one program. The shell mounts it where only its process sees it, and copies a folder there and back. */
final class SmallDisk {
    private static final String SCRIPT = """
        disk=$1 state=$2 size=$3; shift 3
        mount -t tmpfs -o size="$size" tmpfs "$disk" || exit 99
        cp -a "$state"/. "$disk"/
        "$@"
        code=$?
        cp -a "$disk"/. "$state"/
        exit "$code"
        """;

    private SmallDisk() {}

    /**
     * The command that runs a program with a small disk, which ends where the program's command begins.
     *
     * @param disk the empty folder where the program finds it
     * @param state the folder that is copied there before, and back afterwards
     */
    static List<String> command(Path disk, Path state, long bytes) {
        return List.of(
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "/bin/bash",
                "-c",
                SCRIPT,
                "small-disk",
                disk.toString(),
                state.toString(),
                Long.toString(bytes));
    }

    /** Skips a test where nobody but root may mount a file system in a namespace. */
    static void assumePossible(Path folder) throws Exception {
        boolean possible;
        try {
            Path disk = Files.createDirectories(folder.resolve("try"));
            Process process = new ProcessBuilder(Stream.concat(command(disk, disk, 1 << 20).stream(), Stream.of("true"))
                            .toList())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            possible = process.waitFor() == 0;
        } catch (IOException e) {
            possible = false;
        }
        assumeTrue(possible, "this system lets nobody but root mount a file system in a namespace (unshare)");
    }
}
