package io.gradus.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class MediansTest {

    @Test
    void medianOfAnOddCountIsTheMiddleNumber() {
        assertThat(Medians.of(9, 1, 5)).isEqualTo(5);
    }

    @Test
    void medianOfAnEvenCountIsTheMeanOfTheMiddleNumbers() {
        assertThat(Medians.of(List.of(4.0, 1.0, 2.0, 100.0))).isEqualTo(3);
    }

    @Test
    void medianOfNoNumbersIsRejected() {
        assertThatIllegalArgumentException().isThrownBy(Medians::of).withMessageContaining("no numbers");
    }
}
