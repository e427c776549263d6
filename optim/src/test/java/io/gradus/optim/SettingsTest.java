package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Constants out of range are rejected. */
class SettingsTest {

    @ParameterizedTest
    @CsvSource({
        "-0.1, 0,   false, momentum is -0.1",
        "1,    0,   false, momentum is 1.0",
        "NaN,  0,   false, momentum is NaN",
        "0.9,  1.5, false, dampening is 1.5",
        "0,    0,   true,  nesterov needs a momentum",
        "0.9,  0.1, true,  nesterov needs a momentum"
    })
    void sgdRejects(double momentum, double dampening, boolean nesterov, String message) {
        assertThatThrownBy(() -> new Sgd.Settings(momentum, dampening, nesterov))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Sgd: " + message);
    }

    @ParameterizedTest
    @CsvSource({
        "1,   0.999, 1e-8, beta1 and beta2 are 1.0 and 0.999",
        "0.9, -0.1,  1e-8, beta1 and beta2 are 0.9 and -0.1",
        "NaN, 0.999, 1e-8, beta1 and beta2 are NaN and 0.999",
        "0.9, 0.999, 0,    epsilon is 0.0",
        "0.9, 0.999, NaN,  epsilon is NaN"
    })
    void adamRejects(double beta1, double beta2, double epsilon, String message) {
        assertThatThrownBy(() -> new Adam.Settings(beta1, beta2, epsilon))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Adam: " + message);
    }

    @ParameterizedTest
    @CsvSource({
        "0.1,  1e-3, 1e-3, 1,   beta2Decay is 0.1",
        "NaN,  1e-3, 1e-3, 1,   beta2Decay is NaN",
        "-0.8, -1,   1e-3, 1,   epsilon1 and epsilon2 are -1.0 and 0.001",
        "-0.8, 1e-3, NaN,  1,   epsilon1 and epsilon2 are 0.001 and NaN",
        "-0.8, 1e-3, 1e-3, 0.5, clippingThreshold is 0.5"
    })
    void adafactorRejects(double decay, double epsilon1, double epsilon2, double clipping, String message) {
        assertThatThrownBy(() -> new Adafactor.Settings(decay, epsilon1, epsilon2, clipping, true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Adafactor: " + message);
    }

    @Test
    void defaultsAreThoseOfThePapers() {
        assertThat(Adafactor.Settings.DEFAULT).isEqualTo(new Adafactor.Settings(-0.8, Math.ulp(1f), 1e-3, 1, true));
        assertThat(Adam.Settings.DEFAULT).isEqualTo(new Adam.Settings(0.9, 0.999, 1e-8));
        assertThat(Sgd.Settings.PLAIN).isEqualTo(new Sgd.Settings(0, 0, false));
    }
}
