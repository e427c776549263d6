package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.ChatMessage.Role;
import io.gradus.data.DataFormat.Kind;
import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DocumentsTest {
    @TempDir
    private Path folder;

    private Path write(String name, String content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, content);
    }

    private void assertRefused(Path path, String... parts) {
        assertThatThrownBy(() -> Documents.read(path))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContainingAll(parts);
    }

    @Test
    void textFileIsOneDocument() throws IOException {
        String text = " first\r\n\n\nsecond é \n";
        assertThat(Documents.read(write("a.txt", text))).containsExactly(new Text(text));
        assertThat(Documents.read(write("README", "\uFEFF" + text))).containsExactly(new Text(text));
    }

    @Test
    void jsonLinesHaveOneDocumentPerLine() throws IOException {
        Path file = write(
                "a.jsonl",
                "\uFEFF{\"text\": \"one\\nline\"}\r\n\n  \n{\"completion\": \" yes\", \"prompt\": \"well?\"}\n"
                        + "{\"prompt\": \"\", \"completion\": \"a\u2028b\"}");
        assertThat(Documents.read(file))
                .containsExactly(
                        new Text("one\nline"),
                        new PromptCompletion("well?", " yes"),
                        new PromptCompletion("", "a\u2028b"));
    }

    @Test
    void folderIsReadInOrderOfNames() throws IOException {
        write("b.txt", "b");
        write("a.md", "a");
        write("c/d.JSONL", "{\"text\": \"d1\"}\n{\"text\": \"d2\"}");
        write("picture.png", "no text");
        write(".hidden/e.txt", "e");
        write(".f.txt", "f");
        assertThat(Documents.read(folder))
                .containsExactly(new Text("a"), new Text("b"), new Text("d1"), new Text("d2"));
    }

    @Test
    void missingAndEmptyFilesAreNamed() throws IOException {
        assertRefused(folder.resolve("nowhere.txt"), "no such file");
        assertRefused(write("sub/picture.png", "x").getParent(), "no .txt, .md or .jsonl file");
        assertRefused(write("empty.txt", ""), "it is empty");
        assertRefused(write("bom.txt", "\uFEFF"), "it is empty");
        assertRefused(write("blank.txt", " \n\t"), "only white space");
        assertRefused(write("blank.jsonl", "\n\n"), "only white space");
        assertRefused(write("list.json", "[{\"text\": \"a\"}]"), ".jsonl");
    }

    @Test
    void invalidUtf8IsRejectedWithItsByte() throws IOException {
        Path file = folder.resolve("latin1.txt");
        Files.write(file, new byte[] {'c', 'a', 'f', (byte) 0xE9, ' '});
        assertRefused(file, "not UTF-8: byte 0xE9 at 3");
        Files.write(file, new byte[] {'c', (byte) 0xC3});
        assertRefused(file, "not UTF-8: byte 0xC3 at 1");
    }

    @Test
    void malformedLineIsRejectedWithItsNumber() throws IOException {
        String good = "{\"text\": \"a\"}\n";
        assertRefused(write("1.jsonl", good + "{\"text\": "), ":2: it is not JSON");
        assertRefused(write("2.jsonl", good + "\n{\"text\": \"a\"} {}"), ":3: it is not JSON");
        assertRefused(write("3.jsonl", "{\"text\": \"a\", \"text\": \"b\"}"), ":1: it is not JSON", "text");
        assertRefused(write("4.jsonl", good + "{\"text\": \"a\", \"id\": 3}"), ":2:", "the keys [id, text]");
        assertRefused(write("5.jsonl", "{\"prompt\": \"a\"}"), ":1:", "[prompt]");
        assertRefused(write("6.jsonl", "[\"a\"]"), ":1:", "no object");
        assertRefused(write("7.jsonl", "{\"text\": 3}"), ":1: \"text\" must be a string");
        assertRefused(write("8.jsonl", "{\"text\": \" \"}"), ":1: \"text\"", "blank");
        assertRefused(write("9.jsonl", "{\"prompt\": \"a\", \"completion\": \"\"}"), ":1: \"completion\"", "blank");
        assertRefused(write("10.jsonl", "{\"prompt\": null, \"completion\": \"b\"}"), ":1: \"prompt\"");
    }

    // ---- chats, and formats ----

    private static final DataFormat PLAIN_CHAT = new DataFormat(Kind.CHAT, ChatTemplate.PLAIN, LabelTemplate.DEFAULT);

    private static String chat(String... messages) {
        return "{\"messages\": [" + String.join(", ", messages) + "]}\n";
    }

    private static String said(String role, String content) {
        return "{\"role\": \"" + role + "\", \"content\": \"" + content + "\"}";
    }

    @Test
    void jsonLineWithMessagesIsAChat() throws IOException {
        String line = chat(said("system", "be brief"), said("user", ""), said("assistant", "yes"));
        Document.Chat expected = new Document.Chat(List.of(
                new ChatMessage(Role.SYSTEM, "be brief"),
                new ChatMessage(Role.USER, ""),
                new ChatMessage(Role.ASSISTANT, "yes")));
        assertThat(Documents.read(write("a.jsonl", line), PLAIN_CHAT)).containsExactly(expected);
        var auto = new DataFormat(Kind.AUTO, ChatTemplate.PLAIN, LabelTemplate.DEFAULT);
        assertThat(Documents.read(write("b.jsonl", line + "{\"text\": \"a\"}"), auto))
                .containsExactly(expected, new Text("a"));
    }

    private void assertChatRefused(String line, String... parts) throws IOException {
        Path file = write("bad.jsonl", chat(said("user", "a"), said("assistant", "b")) + line);
        assertThatThrownBy(() -> Documents.read(file, PLAIN_CHAT))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + ":2: ")
                .hasMessageContainingAll(parts);
    }

    @Test
    void malformedChatIsRejectedWithLineAndField() throws IOException {
        assertChatRefused("{\"messages\": []}", "\"messages\" must be a list");
        assertChatRefused("{\"messages\": \"hi\"}", "\"messages\" must be a list");
        assertChatRefused(chat("\"hi\""), "messages[0] must be", "no object");
        assertChatRefused(chat("{\"role\": \"user\"}"), "messages[0] must be", "[role]");
        assertChatRefused(chat(said("user", "a"), said("bot", "b")), "messages[1].role is \"bot\"", "\"assistant\"");
        assertChatRefused(chat("{\"role\": \"user\", \"content\": [1]}"), "messages[0].content must be a string");
        assertChatRefused(chat(said("user", "a"), said("assistant", " ")), "messages[1].content", "blank");
        assertChatRefused(chat(said("user", "a")), "contains no assistant message");
        assertChatRefused(
                chat(said("user", "a"), said("assistant", "b"), said("system", "c")), "messages[2].role is system");
    }

    @Test
    void chatWithoutATemplateIsRejectedWithTheKnownTemplates() throws IOException {
        assertRefused(
                write("a.jsonl", chat(said("user", "a"), said("assistant", "b"))),
                ":1:",
                "data.chat_template",
                "[llama2, llama3, chatml, plain]");
    }

    @Test
    void otherFormatThanRequestedIsRejected() throws IOException {
        Path text = write("a.jsonl", "{\"text\": \"a\"}");
        Path plain = write("b.txt", "a");
        var pairs = new DataFormat(Kind.PROMPT_COMPLETION, null, LabelTemplate.DEFAULT);
        assertThatThrownBy(() -> Documents.read(text, pairs))
                .hasMessageContainingAll(
                        text + ":1: data.format is prompt_completion", "[completion, prompt]", "[text]");
        assertThatThrownBy(() -> Documents.read(text, PLAIN_CHAT)).hasMessageContainingAll("is chat", "[messages]");
        assertThatThrownBy(() -> Documents.read(plain, pairs)).hasMessageContainingAll("b.txt", ".jsonl");
        Path table = write("c.csv", "x,y\n1,2\n");
        assertThat(Documents.read(table, new DataFormat(Kind.TEXT, null, LabelTemplate.DEFAULT)))
                .containsExactly(new Text("x,y\n1,2\n"));
    }

    // ---- holding out ----

    private static String join(List<Document> documents) {
        return documents.stream().map(document -> ((Text) document).text()).collect(Collectors.joining());
    }

    @Test
    void singleTextIsSplitAtALineNearItsEnd() {
        String text = IntStream.range(0, 1000).mapToObj(i -> "line " + i + "\n").collect(Collectors.joining());
        Documents.Split split = Documents.split(List.of(new Text(text)), 0.1);
        assertThat(split.training()).hasSize(1);
        assertThat(split.heldOut()).hasSize(1);
        assertThat(join(split.training()) + join(split.heldOut())).isEqualTo(text);
        assertThat(join(split.heldOut()))
                .startsWith("line ")
                .hasSizeBetween(text.length() / 10, text.length() / 10 + 10);
    }

    @Test
    void textWithoutLinesIsSplitBetweenCharacters() {
        String text = "😀".repeat(101);
        Documents.Split split = Documents.split(List.of(new Text(text)), 0.25);
        assertThat(join(split.training()) + join(split.heldOut())).isEqualTo(text);
        assertThat(join(split.heldOut())).startsWith("😀").hasSizeBetween(50, 52);
    }

    @Test
    void lastPartOfFewTextsIsHeldOut() {
        Documents.Split split = Documents.split(
                List.of(new Text("a".repeat(500)), new Text("b".repeat(490)), new Text("c".repeat(10))), 0.2);
        assertThat(split.training()).containsExactly(new Text("a".repeat(500)), new Text("b".repeat(300)));
        assertThat(split.heldOut()).containsExactly(new Text("b".repeat(190)), new Text("c".repeat(10)));
    }

    @Test
    void evenlySpacedDocumentsAreHeldOut() {
        List<Document> documents = IntStream.range(0, 1000)
                .<Document>mapToObj(i -> new PromptCompletion("p" + i, "c"))
                .toList();
        for (double part : new double[] {0.001, 0.05, 0.1, 0.3, 0.9}) {
            Documents.Split split = Documents.split(documents, part);
            assertThat(split.heldOut()).hasSize((int) Math.round(1000 * part)).isSubsetOf(documents);
            assertThat(split.training())
                    .hasSize(1000 - split.heldOut().size())
                    .doesNotContainAnyElementsOf(split.heldOut());
            assertThat(Documents.split(documents, part)).isEqualTo(split);
        }
        assertThat(Documents.split(documents, 0.1).heldOut())
                .startsWith(new PromptCompletion("p9", "c"), new PromptCompletion("p19", "c"));
    }

    @Test
    void splitWithAnEmptySideIsRejected() {
        List<Document> one = List.of(new PromptCompletion("p", "c"));
        assertThatThrownBy(() -> Documents.split(one, 0.1)).hasMessageContaining("of 1 documents is less than one");
        assertThatThrownBy(() -> Documents.split(List.of(new Text("ab")), 0.1)).hasMessageContaining("to evaluate on");
        assertThatThrownBy(() -> Documents.split(List.of(new Text(" ".repeat(50) + "x")), 0.1))
                .hasMessageContaining("to train on");
        for (double part : new double[] {0, 1, -0.5, Double.NaN}) {
            assertThatThrownBy(() -> Documents.split(one, part))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("data.validation_split is " + part);
        }
    }
}
