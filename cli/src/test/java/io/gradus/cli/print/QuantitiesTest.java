package io.gradus.cli.print;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.memory.Bytes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantitiesTest {

    @ParameterizedTest
    @CsvSource({
        "0, 0 s",
        "0.4, 0 s",
        "59.4, 59 s",
        "59.6, 1:00 min",
        "61, 1:01 min",
        "3599, 59:59 min",
        "3600, 1:00 h",
        "3659, 1:00 h",
        "86400, 24:00 h",
        "NaN, –"
    })
    void durationPicksSecondsMinutesOrHours(double seconds, String text) {
        assertThat(Quantities.duration(seconds)).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "7, 7 B",
        "999, 999 B",
        "1000, 1.0 kB",
        "9940, 9.9 kB",
        "9960, 10 kB",
        "999499, 999 kB",
        "999600, 1.0 MB",
        "15000000000, 15 GB",
        "9000000000000000, 9000 TB"
    })
    void bytesUseDecimalUnits(long bytes, String text) {
        assertThat(Bytes.format(bytes)).isEqualTo(text);
    }

    @Test
    void numbersHaveThreeSignificantDigits() {
        assertThat(Quantities.grouped(1_228_800)).isEqualTo("1,228,800");
        assertThat(Quantities.loss(5.10349)).isEqualTo("5.103");
        assertThat(Quantities.loss(Double.POSITIVE_INFINITY)).isEqualTo("–");
        assertThat(Quantities.threeDigits(9.434)).isEqualTo("9.43");
        assertThat(Quantities.threeDigits(40.94)).isEqualTo("40.9");
        assertThat(Quantities.threeDigits(1234.4)).isEqualTo("1,234");
        assertThat(Quantities.threeDigits(Double.NaN)).isEqualTo("–");
    }

    @Test
    void changeHasASignOrIsEmptyIfUndefined() {
        assertThat(Quantities.change(4, 3)).isEqualTo("−25.0%");
        assertThat(Quantities.change(2, 3)).isEqualTo("+50.0%");
        assertThat(Quantities.change(2, 2.0001)).isEqualTo("±0.0%");
        assertThat(Quantities.change(0, 1)).isEmpty();
        assertThat(Quantities.change(Double.NaN, 1)).isEmpty();
    }
}
