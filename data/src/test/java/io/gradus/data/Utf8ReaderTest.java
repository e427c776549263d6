package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Utf8ReaderTest {
    @TempDir
    private Path folder;

    private static String read(Path file) throws IOException {
        try (Reader reader = new Utf8Reader(file)) {
            return reader.readAllAsString();
        }
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("a.txt"), bytes);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 65_534, 65_535, 65_536, 65_537, 200_000})
    void textIsReadWholeWhereverItsCharactersFall(int before) throws IOException {
        String text = "x".repeat(before) + "é漢😀\uFEFF\r\n".repeat(50_000);
        assertThat(read(write(text.getBytes(StandardCharsets.UTF_8)))).isEqualTo(text);
    }

    @Test
    void byteOrderMarkIsSkippedOnce() throws IOException {
        assertThat(read(write("\uFEFF\uFEFFa".getBytes(StandardCharsets.UTF_8))))
                .isEqualTo("\uFEFFa");
        assertThat(read(write("\uFEFF".getBytes(StandardCharsets.UTF_8)))).isEmpty();
        assertThat(read(write(new byte[0]))).isEmpty();
    }

    /** Ill-formed sequences of the Unicode standard, table 3-7 and section 3.9. */
    @ParameterizedTest
    @CsvSource({
        "E9 20, E9", // Latin-1
        "C3, C3", // ends inside a character
        "C0 AF, C0", // longer than necessary
        "E0 80 AF, E0",
        "ED A0 80, ED", // half a surrogate pair
        "ED A0 BD ED B8 80, ED", // CESU-8
        "F4 90 80 80, F4", // above U+10FFFF
        "80, 80",
        "F0 9F 98, F0",
    })
    void malformedBytesAreReportedWithLineAndByte(String hex, String first) throws IOException {
        byte[] bad = HexFormat.ofDelimiter(" ").parseHex(hex);
        byte[] bytes = new byte[5 + bad.length];
        System.arraycopy("a\r\nb\n".getBytes(StandardCharsets.UTF_8), 0, bytes, 0, 5);
        System.arraycopy(bad, 0, bytes, 5, bad.length);
        Path file = write(bytes);
        assertThatThrownBy(() -> read(file))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ":3: it is not UTF-8: byte 0x" + first + " at 5; convert it, or leave it out");
    }

    @Test
    void malformedByteAfterManyPiecesHasItsLine() throws IOException {
        byte[] bytes = "é\n".repeat(100_000).getBytes(StandardCharsets.UTF_8);
        bytes[299_998] = '?';
        Path file = write(bytes);
        assertThatThrownBy(() -> read(file))
                .hasMessageStartingWith(file + ":100000: it is not UTF-8: byte 0xC3 at 299997;");
    }

    @Test
    void utf16IsReportedWithOrWithoutAByteOrderMark() throws IOException {
        Path marked = write("\uFEFFab".getBytes(StandardCharsets.UTF_16LE));
        assertThatThrownBy(() -> read(marked)).hasMessage(marked + ":1: it is UTF-16; save it as UTF-8");
        write("ab".getBytes(StandardCharsets.UTF_16));
        assertThatThrownBy(() -> read(marked)).hasMessage(marked + ":1: it is UTF-16; save it as UTF-8");
        write("a\nb".getBytes(StandardCharsets.UTF_16LE));
        assertThatThrownBy(() -> read(marked))
                .hasMessageStartingWith(marked + ":1: it is not text: the byte at 1 is 0");
    }

    @Test
    void nulIsReportedWithItsLine() throws IOException {
        Path file = write("a\nb\0c".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> read(file)).hasMessageStartingWith(file + ":2: it is not text: the byte at 3 is 0");
    }

    @Test
    void whatIsNoFileIsNamed() throws IOException {
        assertThatThrownBy(() -> read(folder)).hasMessageStartingWith(folder + ": it is a folder");
        Path device = Path.of("/dev/null");
        assumeThat(device).exists();
        assertThatThrownBy(() -> read(device)).hasMessageStartingWith(device + ": it is a device or a pipe");
    }

    @Test
    void unreadableFileIsNamed() throws IOException {
        Path file = write(new byte[] {'a'});
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        assumeThat(Files.isReadable(file)).as("root reads every file").isFalse();
        assertThatThrownBy(() -> read(file))
                .isInstanceOf(AccessDeniedException.class)
                .hasMessage(file.toString());
    }
}
