package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.nn.model.llama.LlamaConfig;
import io.gradus.train.TinyModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatCommandTest {
    @TempDir
    private Path folder;

    private Path model = Path.of("");

    @BeforeEach
    void write() throws IOException {
        model = TinyModel.write(folder.resolve("model"), LlamaConfig.of(257, 16, 24, 1, 2, 2, 300));
        Files.writeString(
                model.resolve("chat_template.jinja"),
                "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
                        + "{% if add_generation_prompt %}<assistant>{% endif %}");
    }

    private record Ran(int code, String out, String err) {}

    private Ran chat(String input, String... options) {
        InputStream before = System.in;
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        try {
            String[] args = Stream.concat(
                            Stream.of("chat", "--model", model.toString(), "--max-tokens", "12"), Stream.of(options))
                    .toArray(String[]::new);
            return new Ran(Main.run(new PrintWriter(out), new PrintWriter(err), args), out.toString(), err.toString());
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void eachLineOfAPipeIsAnsweredAndTheHistoryCounts() {
        Ran two = chat("Grüße\n\nand more\n");
        assertThat(two.code()).isZero();
        assertThat(two.err()).contains("(cut after --max-tokens 12)");
        Ran one = chat("and more\n");
        assertThat(two.out()).isNotEmpty().doesNotEndWith(one.out());
        assertThat(chat("Grüße\n").out())
                .isEqualTo(two.out().substring(0, chat("Grüße\n").out().length()));
    }

    @Test
    void resetForgetsTheHistoryAndExitEnds() {
        String alone = chat("hi\n", "--temperature", "0").out();
        Ran ran = chat("first\n/reset\nhi\n/exit\nnot read\n", "--temperature", "0");
        assertThat(ran.out()).endsWith(alone);
        assertThat(ran.out()).isEqualTo(chat("first\n", "--temperature", "0").out() + alone);
    }

    @Test
    void messageOfTheSystemChangesTheAnswer() {
        assertThat(chat("hi\n", "--system", "Be a pirate").out())
                .isNotEqualTo(chat("hi\n").out());
    }

    @Test
    void unknownCommandAndTooLongMessageAreReportedAndTheChatGoesOn() {
        Ran ran = chat("/help\n" + "x".repeat(400) + "\nhi\n");
        assertThat(ran.code()).isZero();
        assertThat(ran.err()).contains("/help is no command", "context length of the model is 300");
        assertThat(ran.out()).isEqualTo(chat("hi\n").out());
    }

    @Test
    void modelWithoutChatTemplateIsRejected() throws IOException {
        Files.delete(model.resolve("chat_template.jinja"));
        assertThat(chat("hi\n").err()).contains("a chat needs a model with a chat template");
    }

    @Test
    void linesBreakBetweenWords() {
        StringWriter text = new StringWriter();
        WordWrap wrap = new WordWrap(new PrintWriter(text), 20);
        for (String piece : "The quick bro|wn fox jumps over the l|azy dog.\n\nEnd".split("\\|")) {
            wrap.print(piece);
        }
        wrap.end();
        assertThat(text.toString().lines())
                .allMatch(line -> line.length() < 20)
                .map(String::strip)
                .containsExactly("The quick brown fox", "jumps over the lazy", "dog.", "", "End");
    }
}
