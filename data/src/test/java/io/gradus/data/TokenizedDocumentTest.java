package io.gradus.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.data.Document.PromptCompletion;
import io.gradus.data.Document.Text;
import io.gradus.data.chat.ChatMessage;
import io.gradus.data.chat.ChatTemplate;
import io.gradus.data.tokenizer.ByteTokenizer;
import io.gradus.data.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokenizedDocumentTest {
    private static final int EOS = 256;

    /** Bytes, with one token (1) for "th", and bos (299) in front. */
    private static class Merging implements Tokenizer {
        private final ByteTokenizer bytes = new ByteTokenizer();

        @Override
        public int[] encode(String text) {
            return bytes.encode(text.replace("th", "\u0001"));
        }

        @Override
        public String decode(int[] ids) {
            return bytes.decode(ids).replace("\u0001", "th");
        }

        @Override
        public int vocabSize() {
            return 300;
        }

        @Override
        public OptionalInt bos() {
            return OptionalInt.of(299);
        }

        @Override
        public OptionalInt eos() {
            return OptionalInt.empty();
        }

        @Override
        public boolean addsBos() {
            return true;
        }

        @Override
        public void save(Path folder) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void textTargetsIncludeEos() {
        TokenizedDocument tokens = TokenizedDocument.of(new Text("ab"), new ByteTokenizer());
        assertThat(tokens.ids()).containsExactly('a', 'b', EOS);
        assertThat(tokens.counts()).containsExactly(true, true, true);
    }

    @Test
    void bosIsNotATarget() {
        TokenizedDocument tokens = TokenizedDocument.of(new Text("a"), new Merging());
        assertThat(tokens.ids()).containsExactly(299, 'a');
        assertThat(tokens.counts()).containsExactly(false, true);
    }

    @Test
    void completionTargetsIncludeEos() {
        TokenizedDocument tokens = TokenizedDocument.of(new PromptCompletion("ab", "cd"), new ByteTokenizer());
        assertThat(tokens.ids()).containsExactly('a', 'b', 'c', 'd', EOS);
        assertThat(tokens.counts()).containsExactly(false, false, true, true, true);
    }

    @Test
    void tokenSpanningPromptAndCompletionIsATarget() {
        TokenizedDocument tokens = TokenizedDocument.of(new PromptCompletion("at", "he"), new Merging());
        assertThat(tokens.ids()).containsExactly(299, 'a', 1, 'e');
        assertThat(tokens.counts()).containsExactly(false, false, true, true);
    }

    @Test
    void tokenSpanningTheEndOfAnAnswerIsATarget() {
        var chat = new Document.Chat(List.of(
                new ChatMessage(ChatMessage.Role.ASSISTANT, "at"),
                new ChatMessage(ChatMessage.Role.USER, "h"),
                new ChatMessage(ChatMessage.Role.ASSISTANT, "x")));
        // A line break and the U after it are one token here.
        Tokenizer merging = new Merging() {
            @Override
            public int[] encode(String text) {
                return super.encode(text.replace("\nU", "\u0002"));
            }

            @Override
            public boolean addsBos() {
                return false;
            }
        };
        TokenizedDocument tokens = TokenizedDocument.of(chat, merging, ChatTemplate.builtIn("plain", merging));
        String marks = IntStream.range(0, tokens.ids().length)
                .mapToObj(i -> (tokens.counts()[i] ? "+" : "") + Character.toString(tokens.ids()[i]))
                .collect(Collectors.joining());
        assertThat(marks).isEqualTo("Assistant:+ +a+t+\u0002ser: h\nAssistant:+ +x+\n");
    }

    @Test
    void differentLengthsAreRejected() {
        assertThatThrownBy(() -> new TokenizedDocument(new int[2], new boolean[3]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 ids and 3 counts");
    }
}
