package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** The 256 values are the published ones, and each number gets the code of the nearest value. */
class DynamicMapTest {

    /** Values from bitsandbytes' create_dynamic_map. */
    @Test
    void valuesMatchBitsandbytes() {
        DynamicMap signed = DynamicMap.SIGNED;
        assertThat(signed.value(255)).isEqualTo(1);
        assertThat(signed.value(254)).isCloseTo(0.99296875f, within(1e-7f));
        assertThat(signed.value(0)).isCloseTo(-0.99296875f, within(1e-7f));
        assertThat(signed.value(127)).isZero();
        assertThat(signed.value(128)).isCloseTo(5.5e-7f, within(1e-13f));
        assertThat(signed.value(129)).isCloseTo(3.25e-6f, within(1e-12f));
        assertThat(signed.value(191)).isCloseTo(0.10703125f, within(1e-7f));
        DynamicMap unsigned = DynamicMap.UNSIGNED;
        assertThat(unsigned.value(0)).isZero();
        assertThat(unsigned.value(1)).isCloseTo(3.25e-7f, within(1e-13f));
        assertThat(unsigned.value(2)).isCloseTo(7.75e-7f, within(1e-13f));
        assertThat(unsigned.value(254)).isCloseTo(0.996484375f, within(1e-7f));
        assertThat(unsigned.value(255)).isEqualTo(1);
    }

    @Test
    void codesIncreaseWithValuesAndRoundTrip() {
        for (DynamicMap map : new DynamicMap[] {DynamicMap.SIGNED, DynamicMap.UNSIGNED}) {
            for (int code = 0; code < 256; code++) {
                assertThat(map.code(map.value(code))).isEqualTo(code);
                assertThat(code == 0 || map.value(code) > map.value(code - 1)).isTrue();
            }
        }
        for (int code = 0; code < 127; code++) {
            assertThat(DynamicMap.SIGNED.value(code)).isEqualTo(-DynamicMap.SIGNED.value(254 - code));
        }
    }

    @Test
    void codeIsThatOfTheNearestValue() {
        for (DynamicMap map : new DynamicMap[] {DynamicMap.SIGNED, DynamicMap.UNSIGNED}) {
            for (int i = -1000; i <= 1000; i++) {
                float number = (float) (Math.signum(i) * Math.pow(10, Math.abs(i) / 200.0 - 5));
                if (map == DynamicMap.UNSIGNED && number < 0) {
                    continue;
                }
                double off = Math.abs(map.value(map.code(number)) - number);
                for (int code = 0; code < 256; code++) {
                    assertThat(off).isLessThanOrEqualTo(Math.abs(map.value(code) - number) * (1 + 1e-6) + 1e-12);
                }
            }
        }
    }

    @Test
    void codeChangesAtTheMidpoint() {
        for (DynamicMap map : new DynamicMap[] {DynamicMap.SIGNED, DynamicMap.UNSIGNED}) {
            for (int code = map == DynamicMap.SIGNED ? 0 : 1; code < 255; code++) {
                float half = (float) (((double) map.value(code) + map.value(code + 1)) / 2);
                assertThat(map.code(half)).isEqualTo(code);
                assertThat(map.code(Math.nextUp(half))).isEqualTo(code + 1);
            }
        }
    }

    @Test
    void codesSaturateOutsideTheRange() {
        assertThat(DynamicMap.SIGNED.code(-1)).isZero();
        assertThat(DynamicMap.SIGNED.code(2)).isEqualTo(255);
        assertThat(DynamicMap.SIGNED.code(Float.NaN)).isZero();
    }

    @Test
    void unsignedMapNeverRoundsPositiveToZero() {
        assertThat(DynamicMap.UNSIGNED.code(0)).isZero();
        assertThat(DynamicMap.UNSIGNED.code(Float.MIN_VALUE)).isEqualTo(1);
        assertThat(DynamicMap.SIGNED.code(1e-9f)).isEqualTo(127);
    }
}
