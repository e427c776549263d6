package io.gradus.data.tokenizer.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.gradus.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {

    @TempDir
    private Path folder;

    private Path temporary;

    @BeforeEach
    void createTemporaryFolder() throws IOException {
        temporary = Files.createDirectory(folder.resolve("temporary"));
    }

    /** Loads the tokenizer of a folder, and prints ids and the libraries that this process has mapped. */
    static final class Load {
        private Load() {}

        public static void main(String[] arguments) throws IOException {
            Tokenizer tokenizer = Tokenizer.load(Path.of(arguments[0]));
            System.out.println(Arrays.toString(tokenizer.encode("two one")));
            Path maps = Path.of("/proc/self/maps");
            if (Files.exists(maps)) {
                try (Stream<String> lines = Files.lines(maps)) {
                    lines.filter(line -> line.contains("tokenizers.so"))
                            .map(line -> line.substring(line.indexOf('/')))
                            .distinct()
                            .forEach(System.out::println);
                }
            }
        }
    }

    private Process start(String... options) throws IOException {
        Path model = Files.createDirectories(folder.resolve("model"));
        Files.writeString(model.resolve("tokenizer.json"), """
            {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
             "post_processor": null, "decoder": null,
             "model": {"type": "WordLevel", "vocab": {"[unk]": 0, "one": 1, "two": 2}, "unk_token": "[unk]"}}
            """);
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(List.of(options));
        command.addAll(List.of(Load.class.getName(), model.toString()));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String output(Process process) throws Exception {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    @Test
    void processesThatStartAtOnceLoadCopiesOfTheirOwnAndLeaveNothing() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(start());
        }
        for (Process process : processes) {
            assertThat(output(process)).contains("[2, 1]");
        }
        assertThat(temporary).isEmptyDirectory();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void plantedLibraryIsNotLoaded() throws Exception {
        Path cache = folder.resolve("cache");
        for (String parent :
                new String[] {"cache/tokenizers", "home/.djl.ai/tokenizers", "temporary/.djl.ai/tokenizers"}) {
            for (String processor : new String[] {"x86_64", "aarch64"}) {
                Path planted =
                        Files.createDirectories(folder.resolve(parent).resolve("0.21.0-0.38.0-cpu-linux-" + processor));
                Files.writeString(planted.resolve("libtokenizers.so"), "planted");
            }
        }
        String output = output(start("-DDJL_CACHE_DIR=" + cache, "-Duser.home=" + folder.resolve("home")));
        assertThat(output).contains("[2, 1]");
        String copy = temporary.toRealPath() + "/" + NativeLibrary.FOLDER_PREFIX;
        assertThat(output.lines().filter(line -> line.startsWith("/")))
                .hasSize(1)
                .allMatch(line -> line.startsWith(copy) && line.endsWith("/libtokenizers.so (deleted)"));
    }

    @Test
    void extractedLibraryEqualsThatOfTheJar() throws Exception {
        Path extracted = NativeLibrary.extract(temporary);
        Path library = extracted.resolve(System.mapLibraryName("tokenizers"));
        List<String> hashes = new ArrayList<>();
        for (String resource : new String[] {
            "linux-x86_64/cpu/libtokenizers.so",
            "linux-aarch64/cpu/libtokenizers.so",
            "osx-aarch64/cpu/libtokenizers.dylib",
            "win-x86_64/cpu/tokenizers.dll"
        }) {
            try (var content = getClass().getClassLoader().getResourceAsStream("native/lib/" + resource)) {
                hashes.add(sha256(content.readAllBytes()));
            }
        }
        assertThat(hashes).contains(sha256(Files.readAllBytes(library)));
    }

    private static String sha256(byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void folderIsPrivateToItsOwner() throws IOException {
        Path created = PrivateFolder.create(temporary, "a-");
        assertThat(Files.getPosixFilePermissions(created)).isEqualTo(PosixFilePermissions.fromString("rwx------"));
        assertThat(created.getFileName().toString()).startsWith("a-").hasSizeGreaterThan(6);
        assertThat(PrivateFolder.create(temporary, "a-")).isNotEqualTo(created);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void linkToAFolderIsResolvedFirst() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), temporary);
        assertThat(PrivateFolder.create(link, "a-").getParent()).isEqualTo(temporary.toRealPath());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void folderThatOthersCouldReplaceIsRejected() throws IOException {
        Path open = Files.createDirectory(folder.resolve("open"));
        for (String permissions : new String[] {"rwxrwxrwx", "rwxrwx---"}) {
            Files.setPosixFilePermissions(open, PosixFilePermissions.fromString(permissions));
            Path below = Files.createDirectories(open.resolve("below"));
            assertThatThrownBy(() -> NativeLibrary.extract(below))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(open.toRealPath() + " can be changed by other users")
                    .hasMessageContaining("-Djava.io.tmpdir=FOLDER");
            assertThat(below).isEmptyDirectory();
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void folderThatOthersCanWriteToIsAcceptedIfItIsSticky() throws Exception {
        Path sticky = Files.createDirectory(folder.resolve("sticky"));
        assertThat(new ProcessBuilder("chmod", "1777", sticky.toString())
                        .start()
                        .waitFor())
                .isZero();
        assertThat(PrivateFolder.create(sticky, "a-")).isDirectory();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void folderOfAnotherUserIsRejected() throws Exception {
        Path foreign = Files.createDirectory(folder.resolve("foreign"));
        assumeThat((int) Files.getAttribute(foreign, "unix:uid"))
                .as("only root can give a folder away")
                .isZero();
        assertThat(new ProcessBuilder("chown", "12345", foreign.toString())
                        .start()
                        .waitFor())
                .isZero();
        assertThatThrownBy(() -> PrivateFolder.create(foreign, "a-")).hasMessageContaining(" belongs to ");
    }

    @Test
    void missingFolderIsNamed() {
        assertThatThrownBy(() -> NativeLibrary.extract(folder.resolve("missing")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.resolve("missing").toString())
                .hasMessageContaining("-Djava.io.tmpdir=FOLDER");
    }

    @Test
    void onlyOldFoldersOfTheSameNameAreDeleted() throws IOException {
        Path old = Files.createDirectory(temporary.resolve("a-1"));
        Files.writeString(old.resolve("library"), "content");
        Path recent = Files.createDirectory(temporary.resolve("a-2"));
        Path other = Files.createDirectory(temporary.resolve("b-1"));
        FileTime time = FileTime.from(Instant.now().minus(Duration.ofHours(25)));
        Files.setLastModifiedTime(old, time);
        Files.setLastModifiedTime(other, time);
        PrivateFolder.deleteOld(temporary, "a-");
        assertThat(temporary).isDirectoryNotContaining(path -> path.equals(old));
        assertThat(recent).isDirectory();
        assertThat(other).isDirectory();
    }
}
