package io.gradus.data.tokenizer;

import io.gradus.core.Philox;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Texts that tokenizers get wrong. */
final class SampleTexts {
    private SampleTexts() {}

    static final List<String> TRICKY = List.of(
            "",
            " ",
            "  two  spaces  ",
            "\n\n\tindented\r\n",
            "plain words, and punctuation.",
            "naïve café — “quoted”",
            "日本語のテキスト",
            "👩‍👩‍👧 family, flag 🇳🇱",
            "e\u0301 combined",
            "a\u0000b\u007f\u0080\u00ad\uFEFF\uFFFD\uFFFF",
            "<s></s> <pad> [CLS]");

    /** Characters of every length in UTF-8, the same each time. */
    static Stream<String> random(int texts) {
        return IntStream.range(0, texts).mapToObj(SampleTexts::randomText);
    }

    private static String randomText(int seed) {
        Philox.Key key = new Philox.Key(seed, 0, 0);
        int length = Philox.below(key, 0, 60);
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= length; i++) {
            int bits = Philox.below(key, 2L * i, 21) + 1;
            int codePoint = Philox.below(key, 2L * i + 1, Math.min(1 << bits, 0x110000));
            text.appendCodePoint(codePoint >= 0xD800 && codePoint <= 0xDFFF ? 'x' : codePoint);
        }
        return text.toString();
    }
}
