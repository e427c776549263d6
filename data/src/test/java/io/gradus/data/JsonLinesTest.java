package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.DataFormat.Kind;
import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.ByteTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way in which a line can be wrong has one message, with the file, the line and the way out. */
class JsonLinesTest {
    private static final DataFormat FORMAT =
            new DataFormat(Kind.AUTO, ChatTemplate.builtIn("plain", new ByteTokenizer()), LabelTemplate.DEFAULT);

    @TempDir
    private Path folder;

    private Path write(String content) throws IOException {
        return Files.writeString(folder.resolve("a.jsonl"), content);
    }

    private static Arguments line(String line, String... parts) {
        return Arguments.of(line, parts);
    }

    private static String message(String fields) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{" + fields + "}]}";
    }

    static Stream<Arguments> malformedLines() {
        return Stream.of(
                line("{\"text\":" + "[".repeat(1001) + "]".repeat(1001) + "}", "it is not JSON", "depth (1001)"),
                line("{\"text\":" + "{\"a\":".repeat(100_000), "it is not JSON", "depth (1001)"),
                line("{\"text\":" + "9".repeat(1001) + "}", "it is not JSON", "1001"),
                line("{\"text\":1e99999999999}", "\"text\" must be a string"),
                line("{\"" + "k".repeat(50_001) + "\":1}", "it is not JSON", "50001"),
                line("{\"text\":NaN}", "it is not JSON: Non-standard token 'NaN' (column "),
                line("{\"text\":\"a\",\"text\":\"b\"}", "it is not JSON: Duplicate field 'text' (column "),
                line("{\"text\":\"a\tb\"}", "it is not JSON", "code 9"),
                line("{\"text\":\"a\\xb\"}", "it is not JSON", "escape"),
                line("{\"text\":\"a", "it is not JSON", "joins lines"),
                line("{", "it is not JSON", "jq -c . old.json > new.jsonl"),
                line("{'text':'a'}", "it is not JSON", "column 2"),
                line(
                        "{\"text\":\"a\"}{\"text\":\"b\"}",
                        "it is not JSON: a second value follows the first (column 13)"),
                line("{\"text\":\"bad \\ud83d half\"}", "\"text\" has half a character, \\ud83d, at 4"),
                line("{\"text\":\"\\ude00\\ud83d\"}", "\"text\" has half a character, \\ude00, at 0"),
                line("{\"prompt\":\"\\ud83d\",\"completion\":\"a\"}", "\"prompt\" has half a character, \\ud83d, at 0"),
                line(
                        message("\"role\":\"assistant\",\"content\":\"b\\ud83d\""),
                        "messages[1].content has half a character, \\ud83d, at 1"),
                line("{\"text\":null}", "\"text\" must be a string"),
                line("{\"text\":[\"a\"]}", "\"text\" must be a string"),
                line("{\"text\":true}", "\"text\" must be a string"),
                line("null", "this one is no object"),
                line("\"text\"", "this one is no object"),
                line("{}", "the keys []"),
                line("[{\"text\":\"b\"},", "it is not JSON", "jq -c '.[]' old.json > new.jsonl"),
                line("{\"text\":\"a\",\"id\":1}", "the keys [id, text]", "jq -c '{text}' old.jsonl > new.jsonl"),
                line(
                        "{\"instruction\":\"a\",\"input\":\"\",\"output\":\"b\"}",
                        "the keys [input, instruction, output]",
                        "jq -c '{prompt: (.instruction"),
                line("{\"conversations\":[]}", "the keys [conversations]", "jq -c '{messages: [.conversations[]"),
                line("{\"messages\":[],\"tools\":[]}", "\"messages\" must be a list of objects"),
                line(
                        message("\"role\":\"assistant\",\"content\":\"a\",\"name\":\"bob\""),
                        "messages[1].name: the chat template"),
                line(
                        message("\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]"),
                        "messages[1].content must be a string"),
                line(message("\"role\":\"assistant\",\"content\":null"), "messages[1].content must be a string"),
                line(message("\"role\":\"tool\",\"content\":\"3\""), "no assistant message"),
                line(message("\"role\":null,\"content\":\"3\""), "messages[1].role is null"));
    }

    @ParameterizedTest
    @MethodSource("malformedLines")
    void malformedLineIsReportedWithItsPlace(String line, String... parts) throws IOException {
        Path file = write("{\"text\":\"first\"}\r\n\n" + line + "\n{\"text\":\"last\"}\n");
        assertThatThrownBy(() -> Documents.read(file, FORMAT))
                .isExactlyInstanceOf(IOException.class)
                .message()
                .startsWith(file + ":3: ")
                .contains(parts)
                .hasSizeLessThan(500)
                .hasLineCount(1)
                .doesNotContain("fasterxml", "StreamRead", "JsonToken", "Source", "enable");
    }

    @Test
    void escapesAndPairedSurrogatesAreRead() throws IOException {
        Path file = write("{\"text\":\"\\ud83d\\ude00 \\u0000\\u2028\\/ 😀\"}\r{\"text\":\"b\"}");
        assertThat(Documents.read(file, FORMAT)).containsExactly(new Text("\uD83D\uDE00 \0\u2028/ 😀"), new Text("b"));
    }

    @Test
    void deepestAcceptedNestingIsRead() throws IOException {
        Path file = write("{\"text\":" + "[".repeat(999) + "]".repeat(999) + "}");
        assertThatThrownBy(() -> Documents.read(file, FORMAT)).hasMessage(file + ":1: \"text\" must be a string");
    }

    @Test
    void longLineIsRead() throws IOException {
        String text = "long ".repeat(4_000_000);
        Path file = write("{\"prompt\":\"\",\"completion\":\"" + text + "\"}");
        PromptCompletion read =
                (PromptCompletion) Documents.read(file, FORMAT).iterator().next();
        assertThat(read.completion().equals(text)).isTrue();
    }
}
