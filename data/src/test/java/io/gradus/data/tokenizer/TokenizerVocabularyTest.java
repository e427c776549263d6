package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TokenizerVocabularyTest {
    private static TokenizerVocabulary of(String json) throws IOException {
        return new TokenizerVocabulary(new ObjectMapper().readTree(json), Path.of("tokenizer.json"));
    }

    @Test
    void vocabularyIncludesAddedTokens() throws IOException {
        TokenizerVocabulary vocabulary =
                of("{\"added_tokens\": [{\"id\": 9, \"content\": \"<s>\"}], \"model\": {\"vocab\": {\"a\": 0, \"b\":"
                        + " 4}}}");
        assertThat(vocabulary.size()).isEqualTo(10);
        assertThat(vocabulary.id("<s>")).hasValue(9);
        assertThat(vocabulary.id("b")).hasValue(4);
        assertThat(vocabulary.id("c")).isEmpty();
    }

    @Test
    void unigramModelListsPairs() throws IOException {
        TokenizerVocabulary vocabulary = of("{\"model\": {\"vocab\": [[\"<unk>\", 0.0], [\"a\", -1.5], [\"b\", -2]]}}");
        assertThat(vocabulary.size()).isEqualTo(3);
        assertThat(vocabulary.id("b")).hasValue(2);
        assertThat(vocabulary.id("c")).isEmpty();
    }

    @Test
    void fileWithoutTokensIsRejected() {
        assertThatThrownBy(() -> of("{\"model\": {}}"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tokenizer.json: it has no tokens");
    }
}
