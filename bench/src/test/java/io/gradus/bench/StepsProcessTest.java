package io.gradus.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepsProcessTest {

    @Test
    void parseReadsTheTimeOfEachStepAndThePeak() throws IOException {
        StepsProcess process = StepsProcess.parse("""
            step 1 loss 11.04195 heap bytes 700 seconds 8.5000
            step 2 loss 9.83947 heap bytes 7 seconds 0.9000
            peak bytes 123456
            tensors 12345
            """);

        assertThat(process.seconds()).containsExactly(8.5, 0.9);
        assertThat(process.peakBytes()).isEqualTo(123456);
    }

    @Test
    void outputWithoutPeakIsRejected() {
        assertThatThrownBy(() -> StepsProcess.parse("step 1 loss 11 seconds 8.5\n"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("did not print its peak memory");
    }

    @Test
    void firstStepAtSpeedReachesNinetyPercentOfTheLastSteps() {
        assertThat(new StepsProcess(List.of(8.0, 2.0, 1.12, 1.0, 1.0, 1.0), 0).firstStepAtSpeed())
                .isEqualTo(4);
        assertThat(new StepsProcess(List.of(8.0, 2.0, 1.11, 1.0, 1.0, 1.0), 0).firstStepAtSpeed())
                .isEqualTo(3);
    }
}
