package io.gradus.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SnippetsTest {

    @Test
    void shellSnippetQuotesFolderAndPrompt() {
        assertThat(Snippets.shell(Path.of("runs/a-1"), "Once"))
                .isEqualTo("./gradus generate --model runs/a-1 \\\n    --prompt Once --max-tokens 100");
        assertThat(Snippets.shell(Path.of("my run; rm"), "is't\n`x` $y"))
                .contains("--model 'my run; rm'", "--prompt 'is'\\''t `x` $y'");
        assertThat(Snippets.shell(Path.of("a"), "")).contains("--prompt '' ");
    }

    @Test
    void pythonSnippetQuotesFolderAndPrompt() {
        assertThat(Snippets.python(Path.of("runs/a b"), "say \"hi\" \\ bye"))
                .contains("folder = \"runs/a b\"", "tokenizer(\"say \\\"hi\\\" \\\\ bye\", return_tensors");
    }

    @Test
    void longPromptIsTruncated() {
        assertThat(Snippets.shell(Path.of("a"), "word ".repeat(100)))
                .contains("--prompt '" + "word ".repeat(11) + "word' ");
        assertThat(Snippets.shell(Path.of("a"), "\uD83D\uDE00".repeat(100)))
                .contains("'" + "\uD83D\uDE00".repeat(60) + "'");
    }
}
