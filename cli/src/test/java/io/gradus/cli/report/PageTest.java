package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class PageTest {

    @Test
    void modelNameIsTheNameOfItsFolder() {
        assertThat(Page.name(Path.of("models/llama/"), "other")).isEqualTo("llama");
        assertThat(Page.name(Path.of("models/llama/."), "other")).isEqualTo("llama");
        assertThat(Page.name(Path.of("").toAbsolutePath().getRoot(), "other")).isNotEmpty();
        assertThat(Page.name(null, "other")).isEqualTo("other");
    }

    @Test
    void controlCharactersBecomeControlPictures() {
        assertThat(Page.visible("a\tb\r\nc\n")).isEqualTo("a\tb\nc\n");
        assertThat(Page.visible("\u0000\u001b\u007f\r")).isEqualTo("␀␛␡␍");
        assertThat(Page.visible("é\uD83D\uDE00\uD83D")).isEqualTo("é\uD83D\uDE00\uFFFD");
    }
}
