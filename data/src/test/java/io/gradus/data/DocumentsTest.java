package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.DataFormat.Kind;
import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import io.gradus.data.Document.TextFile;
import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatMessage.Role;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.ByteTokenizer;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    void tablesOfAFolderAreReadUnlessAnotherFormatIsRequested() throws IOException {
        write("b.csv", "text,label\na,x\n");
        write("c/d.TSV", "text\tlabel\n\"b\ty\n");
        write("e.txt", "e");
        assertThat(Documents.read(folder))
                .containsExactly(
                        new PromptCompletion("a\nLabel:", " x"),
                        new PromptCompletion("\"b\nLabel:", " y"),
                        new Text("e"));
        assertThat(Documents.read(folder, new DataFormat(Kind.TEXT, null, LabelTemplate.DEFAULT)))
                .containsExactly(new Text("e"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tr-TR", "ar-EG", "fa-IR", "de-DE"})
    void filesAreReadTheSameInEveryLocale(String tag) throws IOException {
        Path chat = write("CHAT.JSONL", chat(said("assistant", "b"), "{}").replace(", {}", ""));
        Path table = write("TITLES.CSV", "TEXT,LABEL,ID\nI,i,1\n");
        Path bad = write("bad.csv", "text,label\n\n\na,b,c\n");
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag(tag));
            assertThat(Documents.read(table)).containsExactly(new PromptCompletion("I\nLabel:", " i"));
            assertThat(Documents.read(chat, PLAIN_CHAT))
                    .containsExactly(new Document.Chat(List.of(new ChatMessage(Role.ASSISTANT, "b"))));
            assertRefused(bad, "bad.csv:4: it has 3 columns and the header has 2");
        } finally {
            Locale.setDefault(before);
        }
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

    private static final DataFormat PLAIN_CHAT =
            new DataFormat(Kind.CHAT, ChatTemplate.builtIn("plain", new ByteTokenizer()), LabelTemplate.DEFAULT);

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
        var auto = new DataFormat(Kind.AUTO, ChatTemplate.builtIn("plain", new ByteTokenizer()), LabelTemplate.DEFAULT);
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
        assertChatRefused(chat(said("user", "a"), said("assistant", "a"), said("bot", "b")), "messages[2].role is bot");
        assertChatRefused(
                chat("{\"role\": \"user\", \"content\": [1]}"), "messages[0].content must be a list of objects");
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

    // ---- large files ----

    private static final String LINE = "Der Fluß fließt über die Brücke. 123\n";
    private static final int LINES = 420_000; // 17 MB

    private Path large(String before, String after) throws IOException {
        return write("large.txt", before + LINE.repeat(LINES) + after);
    }

    @Test
    void largeTextFileIsReadWhenItIsUsed() throws IOException {
        Path file = large("\uFEFF", "end");
        Document document = Documents.read(file).iterator().next();
        assertThat(document).isEqualTo(new TextFile(file, 3, Files.size(file)));
        TextFile text = (TextFile) document;
        assertThat(text.beginning(40)).isEqualTo(LINE + "Der");
        try (Reader reader = text.open()) {
            assertThat(reader.readAllAsString())
                    .isEqualTo(Files.readString(file).substring(1));
        }
    }

    @Test
    void malformedByteAtTheEndOfALargeFileIsRejectedBeforeItIsUsed() throws IOException {
        Path file = large("", "");
        long size = Files.size(file);
        Files.write(file, new byte[] {'c', (byte) 0xE9, ' '}, StandardOpenOption.APPEND);
        assertRefused(file, ":420001: it is not UTF-8: byte 0xE9 at " + (size + 1));
    }

    @Test
    void largeTextFileIsSplitWhereItsTextWouldBe() throws IOException {
        Path file = large("", "the last line ends with 😀");
        String text = Files.readString(file);
        for (double part : new double[] {0.1, 0.0000001, 1e-7}) {
            Split small = Split.of(List.of(new Text(text)), part);
            Split large = Split.of(Documents.read(file), part);
            assertThat(texts(large.training())).isEqualTo(texts(small.training()));
            assertThat(texts(large.heldOut())).isEqualTo(texts(small.heldOut()));
        }
    }

    private static List<String> texts(Collection<Document> documents) throws IOException {
        List<String> texts = new ArrayList<>();
        for (Document document : documents) {
            if (document instanceof TextFile file) {
                try (Reader reader = file.open()) {
                    texts.add(reader.readAllAsString());
                }
            } else {
                texts.add(((Text) document).text());
            }
        }
        return texts;
    }

    @Test
    void fileThatBecameShorterIsNamed() throws IOException {
        Path file = large("", "");
        TextFile text = (TextFile) Documents.read(file).iterator().next();
        Files.writeString(file, "short");
        assertThatThrownBy(() -> text.beginning(10)).hasMessageContainingAll(file.toString(), "became shorter");
    }

    @Test
    void documentsAreReadAgainByEachIteration() throws IOException {
        Collection<Document> documents = Documents.read(write("a.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\"}"));
        assertThat(documents).hasSize(2).containsExactly(new Text("a"), new Text("b"));
        write("a.jsonl", "{\"text\": \"c\"}\nno JSON");
        Iterator<Document> changed = documents.iterator();
        assertThat(changed.next()).isEqualTo(new Text("c"));
        assertThatThrownBy(changed::next)
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("a.jsonl:2: it is not JSON");
    }
}
