package io.gradus.data.tokenizer.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PatternCheckTest {

    private static int longest(String pattern) {
        return new PatternCheck(pattern).longestText(1_000_000);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                "(?i:'s|'t|'re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)",
                "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lo}]*[\\p{Ll}\\p{Lo}]+(?i:'s|'t)?|\\s++$|\\s*[\\r\\n]",
                "[\\p{Lu}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}&&[^\\p{Han}]]+|[一-龥]+",
                " ?[^(\\s|[.,!?…。，、।۔،])]+",
                "\\p{N}{1,3}(?=(?:\\p{N}{3})*(?:\\P{N}|$))",
                "[[:alpha:]_]+|(?i)the|a{2,}",
                "a{,3}b|{c}|\\x{3042}\\u3044\\x41"
            })
    void patternsOfTokenizersCanMatchLongText(String pattern) {
        assertThat(longest(pattern)).isGreaterThan(500_000);
    }

    /** Retries on a text of n letters: n² / 2 for two repetitions in front of a character that is missing, 2ⁿ for nested ones. */
    @ParameterizedTest
    @CsvSource({"a*a*b, 2000, 5000", "(?:a|b)+c, 0, 0", "(a+)+b, 0, 0", "(?:a?){30}b, 0, 0", "(a|aa)*$, 0, 0"})
    void neighboringAndNestedRepetitionsLimitTheText(String pattern, int min, int max) {
        assertThat(longest(pattern)).isBetween(min, max);
    }

    @ParameterizedTest
    @CsvSource({"a*, 0", "a|, 0", "a+b{2}, 3", "(?=a), 0", "abc|de, 2", "^$, 0"})
    void minLengthIsThatOfTheShortestMatch(String pattern, int expected) {
        assertThat(new PatternCheck(pattern).minLength()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "(?=ab)\\K ~ has '\\K'",
                "(a)\\1 ~ has '\\1'",
                "\\g<0> ~ has '\\g'",
                "\\X ~ has '\\X'",
                "(?<name>a) ~ group of a kind",
                "(?(1)a|b) ~ group of a kind",
                "(?#a) ~ group of a kind",
                "(*FAIL) ~ callout",
                "(a ~ without a ')'",
                "a) ~ without a '('",
                "[a ~ ends too early",
                "a\\ ~ ends too early",
                "*a ~ repeats nothing",
                "a{2000} ~ more than 1000 times",
                "a{3,2} ~ end is before its start",
                "\\p{} ~ malformed property",
                "\\p{L ~ malformed property",
                "\\x{D800} ~ no character",
                "\\x{110000} ~ no character",
                "\\xE3\\x81 ~ a byte",
                "\\u12 ~ malformed"
            })
    void whatIsNotKnownIsRejectedWithItsPosition(String pattern, String problem) {
        assertThatThrownBy(() -> new PatternCheck(pattern))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(problem)
                .hasMessageMatching(".*, at character \\d+");
    }

    @Test
    void deepOrLongPatternIsRejected() {
        assertThatThrownBy(() -> new PatternCheck("(".repeat(5000))).hasMessageContaining("nested more than 30 deep");
        assertThatThrownBy(() -> new PatternCheck("[".repeat(5000))).hasMessageContaining("nested more than 30 deep");
        assertThatThrownBy(() -> new PatternCheck("a".repeat(20_000))).hasMessageContaining("longer than 10000");
    }
}
