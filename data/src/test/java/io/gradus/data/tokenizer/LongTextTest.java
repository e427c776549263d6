package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Philox;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LongTextTest {
    private static final String[] FRAGMENTS = {
        "=",
        "-",
        "a",
        " ",
        "\n",
        "\r\n",
        "\t",
        "1",
        "1234567",
        "abc",
        "日本語のテキスト",
        "中文文本，没有空格。",
        "👩‍👩‍👧",
        "🇳🇱",
        "e\u0301",
        "\u0301\u0323",
        "<|endoftext|>",
        "<mask>",
        "  <mask>  ",
        "</s>",
        "naïve",
        "ﬁ",
        "½",
        "the ",
        "GLOUCESTER:\n",
        "  ",
        "\n\n",
        " a",
        "\u00a0",
        "\u3000",
        "ab ",
        "，",
        "'s ",
        "don't",
        "\u200d",
        "한국어",
        "\u1112\u1161\u11ab",
        "of the "
    };

    /** Words, runs of one fragment, and fragments in random order. */
    private static String mixed(int seed, int length) {
        Philox.Key key = new Philox.Key(seed, 0, 0);
        StringBuilder text = new StringBuilder();
        for (long i = 0; text.length() < length; i += 4) {
            String fragment = FRAGMENTS[Philox.below(key, i, FRAGMENTS.length)];
            switch (Philox.below(key, i + 1, 6)) {
                case 0 -> text.append(fragment.repeat(1 + Philox.below(key, i + 2, 1500) / fragment.length()));
                case 1 ->
                    text.append("To be, or not to be: that is the question. ".repeat(1 + Philox.below(key, i + 2, 9)));
                default -> text.append(fragment);
            }
        }
        return text.toString();
    }

    private static int[] inPieces(Tokenizer tokenizer, String text, int size) throws IOException {
        IntStream.Builder all = IntStream.builder();
        LongText.encode(
                tokenizer,
                new StringReader(text),
                size,
                ids -> Arrays.stream(ids).forEach(all));
        return all.build().toArray();
    }

    private static void assertSameIds(Tokenizer tokenizer, String text, int... sizes) throws IOException {
        int[] whole = tokenizer.encode(text);
        for (int size : sizes) {
            assertThat(inPieces(tokenizer, text, size))
                    .as("pieces of %d of %.60s…", size, text)
                    .isEqualTo(whole);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bytes",
                "stories260K",
                "gpt2",
                "gpt2 with prefix space",
                "llama3",
                "single digits",
                "no pre-tokenizer",
                "nfc",
                "nfkd, no pre-tokenizer",
                "token that strips spaces on its left",
                "token that strips spaces on its right",
                "llama2",
                "metaspace always",
                "metaspace first",
                "metaspace never",
                "no byte fallback",
                "stripped and collapsed spaces",
                "unigram",
                "unigram without split",
                "unigram of phrases",
                "uncased unigram of phrases",
                "wordpiece",
                "wordpiece of whole lines",
                "fixed length"
            })
    void idsOfPiecesAreThoseOfTheWholeText(String name) throws IOException {
        Tokenizer tokenizer = PieceTokenizers.of(name);
        assertSameIds(tokenizer, mixed(1, 5000), 60, 1100);
        assertSameIds(tokenizer, mixed(2, 5000), 400);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bytes",
                "stories260K",
                "gpt2",
                "no pre-tokenizer",
                "llama3",
                "nfc",
                "metaspace never",
                "wordpiece"
            })
    void textWithoutEndsOfWordsIsCut(String name) throws IOException {
        Tokenizer tokenizer = PieceTokenizers.of(name);
        for (String run :
                List.of("a", " ", "\n", "\r\n", "=", "123", "日本語のテキスト", "👩‍👩‍👧", "e\u0301", "<|endoftext|>")) {
            String text = "The run: " + run.repeat(9_000 / run.length()) + " and its end.";
            assertSameIds(tokenizer, text, 2000);
        }
    }

    @Test
    void realTextIsCutOften() throws IOException {
        Path file = TestModels.shared("data/tinyshakespeare.txt");
        String text = Files.readString(file).substring(0, 60_000);
        for (String name : List.of("stories260K", "gpt2", "unigram of phrases", "wordpiece")) {
            Tokenizer tokenizer = PieceTokenizers.of(name);
            assertSameIds(tokenizer, text, 2000);
            List<int[]> pieces = new ArrayList<>();
            LongText.encode(tokenizer, new StringReader(text), 2000, pieces::add);
            assertThat(pieces).as(name).hasSizeGreaterThan(25);
        }
    }

    @Test
    void runOfSpacesBelongsToTheTokenThatStripsIt() throws IOException {
        Tokenizer left = PieceTokenizers.of("token that strips spaces on its left");
        Tokenizer right = PieceTokenizers.of("token that strips spaces on its right");
        String before = "some words" + " ".repeat(9000) + "<mask>";
        String after = "<mask>" + " ".repeat(9000) + "some words";
        assertSameIds(left, before, 500, 1000, 4000);
        assertSameIds(right, after, 500, 1000, 4000);
        assertThat(left.encode(before)).endsWith(640).hasSizeLessThan(10);
        assertThat(right.encode(after)).startsWith(640).hasSizeLessThan(10);
    }

    @Test
    void unigramPiecesThatRepeatAreNotCutWhereTheEndOfTheRunDecides() throws IOException {
        Tokenizer tokenizer = PieceTokenizers.of("unigram of phrases");
        for (String run : List.of("a", "=", "the ", "my lord, ")) {
            for (int length = 5000; length < 5004; length++) {
                assertSameIds(tokenizer, run.repeat(5012).substring(0, length) + ".", 700);
            }
        }
    }

    @Test
    void textInMemoryIsTokenizedInPieces() throws IOException {
        String text = "one two  three\n".repeat(20_000);
        Tokenizer tokenizer = PieceTokenizers.of("gpt2");
        List<Integer> lengths = new ArrayList<>();
        Tokenizer recording = new DelegatingTokenizer(tokenizer) {
            @Override
            public int[] encode(String part) {
                synchronized (lengths) {
                    lengths.add(part.length());
                }
                return super.encode(part);
            }
        };
        assertThat(LongText.encode(recording, text)).isEqualTo(tokenizer.encode(text));
        assertThat(lengths).allMatch(length -> length < 100_000).hasSizeGreaterThan(5);
    }

    @Test
    void textThatCannotBeCutIsRejectedWithItsPosition() throws IOException {
        Tokenizer tokenizer = PieceTokenizers.of("fixed length");
        assertThat(LongText.encode(tokenizer, "ab".repeat(40_000)))
                .hasSize(tokenizer.encode("ab".repeat(40_000)).length);
        assertThatThrownBy(() -> LongText.encode(tokenizer, new StringReader("ab".repeat(1 << 22)), _ -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "cannot be tokenized in pieces", "characters after the first 0", "add spaces or line breaks");
    }

    @Test
    void unpairedSurrogateFarInTheTextIsRejectedWithItsPosition() {
        String text = "a ".repeat(100_000) + "\uD83D";
        assertThatThrownBy(() -> LongText.encode(new ByteTokenizer(), text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at character 200000");
    }

    @Test
    void emptyTextHasNoTokens() throws IOException {
        assertThat(LongText.encode(new ByteTokenizer(), "")).isEmpty();
        LongText.encode(
                new ByteTokenizer(), Reader.nullReader(), ids -> assertThat(ids).isEmpty());
    }
}
