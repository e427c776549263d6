package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.Batches;
import io.gradus.data.Blocks;
import io.gradus.data.Document;
import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import io.gradus.data.Mixture;
import io.gradus.data.Packing;
import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatMessage.Role;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DryRunTextTest {
    private final Tokenizer bytes = new ByteTokenizer();

    @TempDir
    private Path folder;

    private Blocks packed(int length, Document... documents) {
        return Blocks.pack(List.of(documents), bytes, length, Packing.DOCUMENTS, null);
    }

    @Test
    void maskedTokensAreBracketed() {
        Blocks blocks = packed(12, new PromptCompletion("ask?", " yes"), new PromptCompletion("p", "\u001b[31m\n"));
        Batches batches = new Batches(blocks, 1, 0, false);
        String report =
                new DryRunText(bytes, batches, false, 200).report(2, List.of("memory: 3 KiB", "time: 2 s a step"));
        assertThat(report).isEqualTo("""
            tokenizer: bytes, 257 tokens
            training text: 100.0 % of the rows and 100.0 % of the loss; 2 rows of 12, 15 tokens, 12 count (80.0 %), 3 masked (20.0 %), padding 9 (37.5 % of the positions)
            an epoch: 2 rows, 2 batches of 1

            batch 0: ids [1, 12], targets [12]; 8 tokens, 5 count (62.5 %), 3 masked (37.5 %), padding 4 (33.3 % of the positions)
              row 0, training text: 1 document, 8 tokens, 5 count
                │ ⟦ask?⟧ yes<|endoftext|>

            batch 1: ids [1, 12], targets [12]; 7 tokens, 7 count (100.0 %), 0 masked (0.0 %), padding 5 (41.7 % of the positions)
              row 0, training text: 1 document, 7 tokens, 7 count
                │ ⟦p⟧\\u001b[31m
                │ <|endoftext|>

            memory: 3 KiB
            time: 2 s a step

            Nothing was trained and nothing was written.
            """);
    }

    @Test
    void packedDocumentsArePrintedOnSeparateLines() {
        Blocks blocks = packed(20, new PromptCompletion("aa", "bb"), new PromptCompletion("c", "d"), new Text("ef"));
        String report = new DryRunText(bytes, new Batches(blocks, 1, 0, false), false, 200).report(1, List.of());
        assertThat(report)
                .contains("row 0, training text: 3 packed documents, 8 tokens, 7 count")
                .contains("    │ ⟦aa⟧bb<|endoftext|>\n    │ ⟦c⟧d<|endoftext|>\n    │ ⟦e⟧f<|endoftext|>\n");
    }

    @Test
    void maskedTokensAreDimOnATerminal() {
        Batches batches = new Batches(packed(8, new PromptCompletion("ask", "ed")), 1, 0, false);
        assertThat(new DryRunText(bytes, batches, true, 200).report(1, List.of()))
                .contains("│ \u001B[2mask\u001B[22med<|endoftext|>")
                .doesNotContain("⟦");
    }

    @Test
    void specialTokensOfAChatAreSpelledOut() throws IOException {
        Files.copy(Path.of("../data/src/test/fixtures/chat/tokenizer.json"), folder.resolve("tokenizer.json"));
        Tokenizer tokenizer = Tokenizer.load(folder);
        var chat = new Document.Chat(List.of(
                new ChatMessage(Role.USER, "Hi"),
                new ChatMessage(Role.ASSISTANT, "naïve 🙂"),
                new ChatMessage(Role.USER, "So?"),
                new ChatMessage(Role.ASSISTANT, "Yes.")));
        Blocks blocks = Blocks.pack(
                List.of(chat), tokenizer, 128, Packing.DOCUMENTS, ChatTemplate.builtIn("chatml", tokenizer));
        assertThat(new DryRunText(tokenizer, new Batches(blocks, 1, 0, false), false, 200).report(1, List.of()))
                .contains("""
                        │ ⟦<|im_start|>user
                        │ Hi<|im_end|>
                        │ <|im_start|>assistant
                        │ ⟧naïve 🙂<|im_end|>⟦
                        │ <|im_start|>user
                        │ So?<|im_end|>
                        │ <|im_start|>assistant
                        │ ⟧Yes.<|im_end|>
                    """.indent(4).replaceAll("(?m)^ {4}", ""));
    }

    @Test
    void streamBlocksAreSplitAtTheBlockLength() {
        Blocks blocks = Blocks.pack(List.of(new Text("abcdefg")), bytes, 4);
        assertThat(new DryRunText(bytes, new Batches(blocks, 2, 0, false), false, 200).report(1, List.of()))
                .contains("ids [2, 4], targets [8]; 8 tokens, 7 count (87.5 %)")
                .contains("│ ⟦a⟧bcde\n")
                .contains("│ ⟦e⟧fg<|endoftext|>\n");
    }

    @Test
    void sourcesListSharesAndWarnings() {
        Blocks task = packed(4, new PromptCompletion("ab", "cdefgh"), new PromptCompletion("a long prompt", "x"));
        Mixture mixture = Mixture.of(task).with("old text", packed(4, new Text("wxyz")), 0.25);
        String report = new DryRunText(bytes, new Batches(mixture, 4, 1, true), false, 200).report(1, List.of());
        assertThat(report)
                .contains("old text: 25.0 % of the rows and 30.8 % of the loss")
                .contains("training text: 75.0 % of the rows and 69.2 % of the loss")
                .contains("warning: 1 of 2 examples are longer than max_seq_len, 4; they were truncated")
                .contains("warning: 1 of 2 examples were left out")
                .containsOnlyOnce(", old text: 1 document");
        assertThatThrownBy(
                        () -> new DryRunText(bytes, new Batches(mixture, 4, 1, true), false, 200).report(-1, List.of()))
                .hasMessageContaining("-1 batches");
    }
}
