package io.gradus.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SurrogatesTest {

    @ParameterizedTest
    @ValueSource(strings = {"\uD83D", "x\uDE00", "\uDE00\uD83D", "😀\uD83D!", "\uD83D😀"})
    void unpairedSurrogateIsRejectedWithItsPosition(String text) {
        assertThatThrownBy(() -> Surrogates.check(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("surrogate");
    }

    @Test
    void pairedSurrogatesAreAccepted() {
        SampleTexts.random(100)
                .forEach(text -> assertThatCode(() -> Surrogates.check(text)).doesNotThrowAnyException());
    }
}
