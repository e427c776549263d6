package io.gradus.train.guard;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.train.recipe.Recipe;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DivergenceChecksTest {
    private static final DivergenceChecks CHECKS = new DivergenceChecks(Recipe.defaults(), 512, true); // ln 512 = 6.24

    private static void check(DivergenceChecks checks, double loss, double withPrompts, double shuffled) {
        checks.requireBetterThanGuessing(
                Map.of("held_out", loss), () -> Map.of("held_out", withPrompts), () -> Map.of("held_out", shuffled));
    }

    @ParameterizedTest
    @CsvSource({
        "6.7, NaN, NaN", // better than guessing
        "12.9, 5.7, NaN", // only the labels are unlikely
        "12.9, 8.5, 9.7", // an unusual text, but its order is known
    })
    void modelThatKnowsItsTextMayBeginWithUnlikelyLabels(double loss, double withPrompts, double shuffled) {
        assertThatCode(() -> check(CHECKS, loss, withPrompts, shuffled)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({
        "18.0, 18.0, 18.0, 18.00",
        "18.0, 18.0, 30.0, 18.00", // text without prompts
        "18.0, 17.8, 17.9, 18.00 (17.80 with the prompts)",
        "NaN, NaN, NaN, NaN (NaN with the prompts)",
    })
    void modelWithAnotherTokenizerIsRejected(double loss, double withPrompts, double shuffled, String said) {
        assertThatThrownBy(() -> check(CHECKS, loss, withPrompts, shuffled))
                .isInstanceOf(TrainingException.class)
                .hasMessage(
                        "before the first step the loss is " + said + ", worse than guessing among 512 tokens (6.24):"
                                + " do the weights, the configuration and the tokenizer belong together? Set"
                                + " check_first_loss=false to train anyway");
    }

    @Test
    void textThatTheModelKnowsIsEnough() {
        assertThatCode(() ->
                        CHECKS.requireBetterThanGuessing(Map.of("held_out", 18.0, "general", 3.0), Map::of, Map::of))
                .doesNotThrowAnyException();
    }

    @Test
    void otherLossesAreNotCompared() {
        assertThatCode(() -> check(new DivergenceChecks(Recipe.defaults(), 512, false), 99, 99, 99))
                .doesNotThrowAnyException();
        Recipe unchecked = Recipe.parse("check_first_loss: false");
        assertThatCode(() -> check(new DivergenceChecks(unchecked, 512, true), 99, 99, 99))
                .doesNotThrowAnyException();
    }
}
