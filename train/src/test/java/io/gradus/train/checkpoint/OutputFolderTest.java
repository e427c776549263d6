package io.gradus.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One writer at a time has a folder, and a folder that cannot be written is rejected with the reason. */
class OutputFolderTest {
    @TempDir
    private Path temp;

    /** A program that opens a folder, says so, and keeps it until its input ends. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] args) throws IOException {
            try (OutputFolder _ = OutputFolder.open(Path.of(args[0]))) {
                System.out.println("open");
                System.in.read();
            }
        }
    }

    private static Process start(Path folder) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-classpath",
                        System.getProperty("java.class.path"),
                        Holder.class.getName(),
                        folder.toString())
                .redirectErrorStream(true)
                .start();
    }

    private static Process holder(Path folder) throws IOException {
        Process process = start(folder);
        assertThat(process.inputReader().readLine()).isEqualTo("open");
        return process;
    }

    @Test
    void openingCreatesTheFolderAndClosingDeletesWhatIsEmpty() throws IOException {
        Path kept = Files.createDirectory(temp.resolve("kept"));
        try (OutputFolder _ = OutputFolder.open(kept.resolve("a/b"))) {
            assertThat(kept.resolve("a/b/.lock")).isRegularFile();
        }
        assertThat(kept).isEmptyDirectory();

        try (OutputFolder _ = OutputFolder.open(kept.resolve("a/b"))) {
            Files.writeString(kept.resolve("a/b/metrics.jsonl"), "");
        }
        assertThat(kept.resolve("a/b")).isDirectoryContaining("glob:**metrics.jsonl");
        assertThat(kept.resolve("a/b/.lock")).doesNotExist();
    }

    @Test
    void folderOfAnotherProcessIsRejectedUntilThatProcessIsKilled() throws Exception {
        Path folder = temp.resolve("out");
        Process process = holder(folder);
        try {
            assertThatThrownBy(() -> OutputFolder.open(folder))
                    .isInstanceOf(IOException.class)
                    .hasMessageMatching(
                            "\\Qoutput " + folder + " is in use by process " + process.pid() + " on \\E\\S+, started "
                                    + "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\(\\Q" + Holder.class.getName() + " "
                                    + folder
                                    + "\\E\\); wait until it ends, stop it, or name another folder");
        } finally {
            process.destroyForcibly().waitFor(); // SIGKILL, which leaves the lock's file
        }
        assertThat(folder.resolve(".lock")).exists();
        try (OutputFolder _ = OutputFolder.open(folder)) {
            assertThat(folder.resolve(".lock"))
                    .content()
                    .contains("\"pid\":" + ProcessHandle.current().pid());
        }
        assertThat(folder.resolve(".lock")).doesNotExist();
    }

    @Test
    void folderOfTheSameProgramIsRejectedUnderEverySpelling() throws Exception {
        Path folder = temp.resolve("out");
        try (OutputFolder _ = OutputFolder.open(folder)) {
            Path link = Files.createSymbolicLink(temp.resolve("link"), folder);
            Path relative = Path.of("").toAbsolutePath().relativize(folder);
            for (Path spelling : List.of(folder, link, relative, temp.resolve("out/../out"))) {
                assertThatThrownBy(() -> OutputFolder.open(spelling))
                        .isInstanceOf(IOException.class)
                        .hasMessageStartingWith(
                                "output " + spelling + " is in use by another run of this program, started ")
                        .hasMessageEndingWith("; wait until it ends, or name another folder");
            }
            // The rejected ones must not have released the lock: another process is rejected too.
            Process process = start(folder);
            process.getOutputStream().close();
            assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .contains("is in use by process " + ProcessHandle.current().pid());
        }
        OutputFolder.open(folder).close();
    }

    @Test
    void unreadableDescriptionOfTheHolderIsNotAnError() throws Exception {
        Path folder = temp.resolve("out");
        Process process = holder(folder);
        try {
            Files.writeString(folder.resolve(".lock"), "{\"pid\":");
            assertThatThrownBy(() -> OutputFolder.open(folder))
                    .hasMessage("output " + folder
                            + " is in use by another process; wait until it ends, stop it, or name another folder");
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void threadsThatOpenAndCloseInTurnNeverHoldTheFolderTogether() {
        Path folder = temp.resolve("a/b");
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger opened = new AtomicInteger();
        IntStream.range(0, 400).parallel().forEach(_ -> {
            try (OutputFolder _ = OutputFolder.open(folder)) {
                assertThat(inside.incrementAndGet()).isOne();
                opened.incrementAndGet();
                inside.decrementAndGet();
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("is in use by another run");
            }
        });
        assertThat(opened).hasPositiveValue();
        assertThat(folder.resolve(".lock")).doesNotExist();
    }

    // ---- folders that cannot be written ----

    private void assertRejected(Path folder, String message) {
        assertThatThrownBy(() -> OutputFolder.open(folder))
                .isInstanceOf(IOException.class)
                .hasMessage(message);
    }

    @Test
    void fileInThePlaceOfAFolderIsRejected() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "");
        assertRejected(file, "output " + file + " is a file; name a folder");
        assertRejected(
                file.resolve("a/b"), "output " + file.resolve("a/b") + ": " + file + " is a file; name another folder");
        Path link = Files.createSymbolicLink(temp.resolve("link"), temp.resolve("nowhere"));
        assertRejected(link, "output " + link + " is a link to something that is not a folder; name a folder");
        assertThat(file).isEmptyFile();
    }

    @Test
    void fileSystemWithoutNewFilesIsRejected() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self")), "there is no /proc");
        assertRejected(
                Path.of("/proc/x/y"), "output /proc/x/y: its file system accepts no new files; name another folder");
        assertThatThrownBy(() -> OutputFolder.open(Path.of("/proc")))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("output /proc: ")
                .hasMessageEndingWith("; name another folder");
    }

    @Test
    void tooLongNameIsRejected() {
        Path folder = temp.resolve("n".repeat(300));
        assertThatThrownBy(() -> OutputFolder.open(folder))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("output " + folder + ": " + folder + " cannot be written: ");
        assertThat(temp).isEmptyDirectory();
    }

    @Test
    void folderWithoutPermissionIsRejected() throws IOException {
        assumeFalse(System.getProperty("user.name").equals("root"), "root may write everywhere");
        Path closed = Files.createDirectory(
                temp.resolve("closed"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x")));
        assertRejected(
                closed,
                "output " + closed + ": " + closed.resolve(".lock")
                        + " cannot be written: permission denied; name another folder");
        assertRejected(
                closed.resolve("out"),
                "output " + closed.resolve("out") + ": " + closed.resolve("out")
                        + " cannot be written: permission denied; name another folder");
    }
}
