package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.InvalidPathException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileNamesTest {
    @ParameterizedTest
    @ValueSource(strings = {"ANSI_X3.4-1968", "ISO-8859-1"})
    void nameBeyondAsciiNeedsUtf8(String encoding) {
        assertThat(FileNames.obstacle("dätä", encoding, "Linux").orElseThrow())
                .contains(encoding, "set the environment variable LC_ALL to C.UTF-8");
        assertThat(FileNames.obstacle("data", encoding, "Linux")).isEmpty();
    }

    @Test
    void problemNamesTheTextAndTheReason() {
        assertThatThrownBy(() -> FileNames.path("a\0b"))
                .isInstanceOfSatisfying(
                        InvalidPathException.class,
                        thrown -> assertThat(FileNames.problem(thrown))
                                .isEqualTo("'a\0b' is not a path: Nul character not allowed"));
        assertThat(FileNames.problem(new InvalidPathException("x".repeat(300), "too long")))
                .isEqualTo("'" + "x".repeat(200) + "…' is not a path: too long");
    }

    @Test
    void utf8AndWindowsKeepEveryName() {
        assertThat(FileNames.obstacle("dätä 漢 🙂", "UTF-8", "Linux")).isEmpty();
        assertThat(FileNames.obstacle("dätä 漢 🙂", "Cp1252", "Windows 11")).isEmpty();
    }
}
