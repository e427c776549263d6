package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WordVocabularyTest {
    private static final List<String> TEXTS = List.of("A fine film.", "a film of a play -- it's FINE...");

    @TempDir
    private Path folder;

    @Test
    void wordsAreOrderedByFrequencyAndThenByCharacters() {
        assertThat(WordVocabulary.of(TEXTS, 100, 1).words())
                .containsExactly(
                        "<unk>", "<pad>", "<eos>", "a", "film", "fine", "'", "--", ".", "...", "it", "of", "play", "s");
        assertThat(WordVocabulary.of(TEXTS, 2, 1).words()).endsWith("a", "film").hasSize(5);
        assertThat(WordVocabulary.of(TEXTS, 100, 2).words())
                .endsWith("a", "film", "fine")
                .hasSize(6);
    }

    @Test
    void savedVocabularyIsATokenizerThatSplitsAsItWasCounted() throws IOException {
        WordVocabulary words = WordVocabulary.of(TEXTS, 100, 1);
        words.save(folder);
        Tokenizer tokenizer = Tokenizer.load(folder);
        for (String text : TEXTS) {
            assertThat(tokenizer.encode(text)).doesNotContain(0).isNotEmpty();
        }
        int[] ids = tokenizer.encode("A dull film.");
        assertThat(ids).containsExactly(3, 0, 4, 8);
        assertThat(tokenizer.decode(new int[] {3, 4, 8})).isEqualTo("a film .");
        assertThat(tokenizer.vocabSize()).isEqualTo(words.size());
        assertThat(tokenizer.eos()).hasValue(WordVocabulary.END);
    }
}
