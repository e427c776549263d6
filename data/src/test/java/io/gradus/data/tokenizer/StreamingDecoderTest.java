package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.core.Philox;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class StreamingDecoderTest {

    private static List<String> pieces(Tokenizer tokenizer, int... ids) {
        StreamingDecoder decoder = new StreamingDecoder(tokenizer);
        var pieces = new ArrayList<String>();
        for (int id : ids) {
            pieces.add(decoder.next(id));
        }
        pieces.add(decoder.finish());
        return pieces;
    }

    @Test
    void characterIsReturnedWithItsLastByte() {
        assertThat(pieces(new ByteTokenizer(), new ByteTokenizer().encode("a€<|endoftext|>😀b")))
                .containsExactly("a", "", "", "€", "", "", "", "", "😀", "b", "");
    }

    @Test
    void incompleteCharacterIsReturnedAtTheEnd() {
        assertThat(pieces(new ByteTokenizer(), 'a', 0xE2, 0x82)).containsExactly("a", "", "", "\uFFFD");
        assertThat(pieces(new ByteTokenizer(), 0xE2, 0x82, 'a')).containsExactly("", "", "\uFFFDa", "");
    }

    @Test
    void decoderIsReusableAfterFinish() {
        StreamingDecoder decoder = new StreamingDecoder(new ByteTokenizer());
        assertThat(decoder.next(0xE2) + decoder.finish()).isEqualTo("\uFFFD");
        assertThat(decoder.next('x') + decoder.finish()).isEqualTo("x");
    }

    @Test
    void invalidUtf8PiecesConcatenateToTheDecodedText() {
        ByteTokenizer tokenizer = new ByteTokenizer();
        for (int seed = 0; seed < 200; seed++) {
            Philox.Key key = new Philox.Key(seed, 0, 0);
            int[] ids =
                    IntStream.range(0, 30).map(i -> Philox.below(key, i, 257)).toArray();
            assertThat(String.join("", pieces(tokenizer, ids))).isEqualTo(tokenizer.decode(ids));
        }
    }

    @Test
    void piecesAreWholeCharactersAndConcatenateToTheText() throws IOException {
        Path model = TestModels.stories260K();
        Tokenizer tokenizer = Tokenizer.load(model);
        int[] greedy =
                new ObjectMapper().readValue(model.resolve("greedy_ids.json").toFile(), int[].class);
        assertThat(String.join("", pieces(tokenizer, greedy))).isEqualTo(Files.readString(model.resolve("greedy.txt")));
        Stream.of(SampleTexts.TRICKY.stream(), SampleTexts.random(100), Stream.of(" a", "   a", "a </s> b", "\u2581"))
                .flatMap(texts -> texts)
                .forEach(text -> {
                    int[] ids = tokenizer.encode(text);
                    List<String> pieces = pieces(tokenizer, ids);
                    assertThat(String.join("", pieces)).isEqualTo(tokenizer.decode(ids));
                    assertThat(pieces).allMatch(StandardCharsets.UTF_8.newEncoder()::canEncode);
                });
    }
}
