package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Philox;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ByteTokenizerTest {
    private final ByteTokenizer tokenizer = new ByteTokenizer();

    @TempDir
    private Path folder;

    @Test
    void byteTokensAreUtf8AndDecodeToTheText() {
        assertThat(tokenizer.encode("Aé€")).containsExactly('A', 0xC3, 0xA9, 0xE2, 0x82, 0xAC);
        Stream.concat(SampleTexts.TRICKY.stream(), SampleTexts.random(200)).forEach(text -> {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            assertThat(tokenizer.encode(text))
                    .containsExactly(IntStream.range(0, bytes.length)
                            .map(i -> bytes[i] & 0xFF)
                            .toArray());
            assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
        });
    }

    @Test
    void endOfTextIsOneTokenAndNotDecoded() {
        int[] ids = tokenizer.encode("a<|endoftext|><|endoftext|>b");
        assertThat(ids).containsExactly('a', 256, 256, 'b');
        assertThat(tokenizer.decode(ids)).isEqualTo("ab");
        assertThat(tokenizer.spell(ids)).isEqualTo("a<|endoftext|><|endoftext|>b");
        assertThat(tokenizer.eos()).hasValue(256);
        assertThat(tokenizer.bos()).hasValue(256);
        assertThat(tokenizer.eosIds()).containsExactly(256);
        assertThat(tokenizer.vocabSize()).isEqualTo(257);
        assertThat(tokenizer.addsBos()).isFalse();
    }

    @Test
    void savedByteTokenizerEqualsThatOfTheHuggingFaceLibrary() throws IOException {
        tokenizer.save(folder);
        HuggingFaceTokenizer theirs = new HuggingFaceTokenizer(folder);
        assertThat(theirs.vocabSize()).isEqualTo(257);
        assertThat(theirs.bos()).hasValue(256);
        assertThat(theirs.eos()).hasValue(256);
        assertThat(theirs.addsBos()).isFalse();
        Stream.of(SampleTexts.TRICKY.stream(), SampleTexts.random(200), Stream.of("a<|endoftext|> b<|endoftext|>"))
                .flatMap(texts -> texts)
                .forEach(text -> {
                    int[] ids = tokenizer.encode(text);
                    assertThat(theirs.encode(text)).as(text).isEqualTo(ids);
                    assertThat(theirs.decode(ids)).isEqualTo(tokenizer.decode(ids));
                });
    }

    @Test
    void invalidUtf8IsReplacedAsInTheHuggingFaceLibrary() throws IOException {
        tokenizer.save(folder);
        HuggingFaceTokenizer theirs = new HuggingFaceTokenizer(folder);
        for (int seed = 0; seed < 300; seed++) {
            Philox.Key key = new Philox.Key(seed, 0, 0);
            int[] ids = IntStream.range(0, 40)
                    .map(i -> Philox.below(key, i, 260) - 1) // some are no token at all
                    .toArray();
            assertThat(oneForEachRun(tokenizer.decode(ids))).isEqualTo(oneForEachRun(theirs.decode(ids)));
        }
        assertThat(tokenizer.decode(new int[] {0xE2, 0x82})).isEqualTo("\uFFFD");
    }

    /** How many replacements some bad bytes get is a matter of taste, and Java's differs from Rust's. */
    private static String oneForEachRun(String text) {
        return text.replaceAll("\uFFFD+", "\uFFFD");
    }

    @Test
    void savedByteTokenizerNeedsNoNativeLibrary() throws IOException {
        tokenizer.save(folder);
        assertThat(Tokenizer.load(folder)).isInstanceOf(ByteTokenizer.class);
        Path file = folder.resolve("tokenizer.json");
        Files.writeString(
                file, Files.readString(file).replace("\"ignore_merges\" : false", "\"ignore_merges\" : true"));
        assertThat(Tokenizer.load(folder)).isInstanceOf(HuggingFaceTokenizer.class);
    }

    @Test
    void unpairedSurrogateIsRejected() {
        assertThatThrownBy(() -> tokenizer.encode("ab\uD83D"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("half a surrogate pair (U+D83D) at character 2");
    }
}
