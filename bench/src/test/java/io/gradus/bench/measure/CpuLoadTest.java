package io.gradus.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CpuLoadTest {

    @Test
    void busyTicksExcludeIdleIowaitAndGuestTime() {
        assertThat(CpuLoad.busyTicks("cpu  1 20 300 4000 50000 600 7000 80000 9 9"))
                .isEqualTo(1 + 20 + 300 + 600 + 7000 + 80000);
    }

    @Test
    void unknownFormatIsNegative() {
        assertThat(CpuLoad.busyTicks("intr 1 2 3")).isNegative();
        assertThat(CpuLoad.busyTicks("")).isNegative();
    }

    @Test
    void foreignShareIsBetweenZeroAndOne() {
        assertThat(CpuLoad.start().foreignShare()).isBetween(0.0, 1.0);
    }
}
