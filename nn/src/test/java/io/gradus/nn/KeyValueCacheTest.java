package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyValueCacheTest {

    /** Every element of row b and token t is 100b + t + 0.5 in the keys. */
    private static Tensor tokens(int rows, int from, int to) {
        float[] elements = new float[rows * (to - from) * 2 * 3];
        for (int i = 0; i < elements.length; i++) {
            int token = i / 6;
            elements[i] = 100 * (token / (to - from)) + from + token % (to - from) + 0.5f;
        }
        return Tensor.of(elements, rows, to - from, 2, 3);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void appendReturnsAllTokensSoFar(int rows) {
        KeyValueCache cache = new KeyValueCache(2, 7);
        assertThat(cache.appendKeys(0, tokens(rows, 0, 4)).toFloats())
                .isEqualTo(tokens(rows, 0, 4).toFloats());
        assertThat(cache.appendKeys(0, tokens(rows, 4, 5)).toFloats())
                .isEqualTo(tokens(rows, 0, 5).toFloats());
        Tensor all = cache.appendKeys(0, tokens(rows, 5, 7));
        assertThat(all.shape()).isEqualTo(Shape.of(rows, 7, 2, 3));
        assertThat(all.toFloats()).isEqualTo(tokens(rows, 0, 7).toFloats());
    }

    @Test
    void layersKeysAndValuesAreIndependent() {
        KeyValueCache cache = new KeyValueCache(2, 4);
        cache.appendKeys(0, tokens(1, 0, 2));
        cache.appendValues(0, tokens(1, 2, 4));
        cache.appendKeys(1, tokens(1, 1, 3));
        assertThat(cache.length()).as("the last layer has no values yet").isZero();
        assertThat(cache.appendValues(1, tokens(1, 0, 2)).toFloats())
                .isEqualTo(tokens(1, 0, 2).toFloats());
        assertThat(cache.length()).isEqualTo(2);
        assertThat(cache.appendValues(0, tokens(1, 4, 5)).toFloats())
                .isEqualTo(tokens(1, 2, 5).toFloats());
    }

    @Test
    void truncatedCacheContinuesAfterTheTokensThatRemain() {
        KeyValueCache cache = new KeyValueCache(1, 7);
        cache.appendKeys(0, tokens(1, 0, 5));
        cache.appendValues(0, tokens(1, 0, 5));
        cache.truncate(2);
        assertThat(cache.length()).isEqualTo(2);
        assertThat(cache.appendKeys(0, tokens(1, 2, 4)).toFloats())
                .isEqualTo(tokens(1, 0, 4).toFloats());
        assertThatThrownBy(() -> cache.truncate(3)).hasMessageContaining("has 2 tokens and cannot be truncated to 3");
    }

    @Test
    void cacheOutlivesScopesOfSteps() {
        KeyValueCache cache = new KeyValueCache(1, 4);
        try (Scope _ = Scope.open("token")) {
            cache.appendKeys(0, tokens(1, 0, 2));
        }
        try (Scope _ = Scope.open("token")) {
            assertThat(cache.appendKeys(0, tokens(1, 2, 3)).toFloats())
                    .isEqualTo(tokens(1, 0, 3).toFloats());
        }
    }

    @Test
    void releaseFreesTheMemory() {
        Device device = Device.cpu(1);
        KeyValueCache cache = new KeyValueCache(3, 4);
        cache.appendKeys(0, Tensor.empty(device, DType.F32, Shape.of(1, 2, 1, 4), MemoryCategory.WORKSPACE));
        MemoryLedger memory = device.backend().memory();
        assertThat(memory.live(MemoryCategory.ACTIVATIONS)).isEqualTo(4 * 4 * 4);
        cache.release();
        assertThat(memory.live(MemoryCategory.ACTIVATIONS)).isZero();
        Tensor fresh = Tensor.empty(device, DType.F32, Shape.of(1, 1, 1, 4), MemoryCategory.WORKSPACE);
        assertThatThrownBy(() -> cache.appendKeys(0, fresh)).hasMessageContaining("release()");
    }

    @Test
    void appendBeyondCapacityIsRejectedWithoutChange() {
        KeyValueCache cache = new KeyValueCache(1, 2);
        cache.appendKeys(0, tokens(1, 0, 1));
        assertThatThrownBy(() -> cache.appendKeys(0, tokens(1, 1, 3)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("key-value cache: 3 tokens exceed the capacity of 2");
        assertThat(cache.appendKeys(0, tokens(1, 1, 2)).toFloats())
                .isEqualTo(tokens(1, 0, 2).toFloats());
    }

    @Test
    void recurrentLayersKeepCopiesOfTheirLastStateOutsideOfScopes() {
        KeyValueCache cache = new KeyValueCache(2, Integer.MAX_VALUE);
        assertThat(cache.recurrence(1)).isNull();
        try (Scope _ = Scope.open("batch")) {
            cache.keep(0, new KeyValueCache.Recurrence(state(1), state(2)), 3);
            cache.keep(1, new KeyValueCache.Recurrence(state(3), state(4)), 3);
        }
        assertThat(cache.length()).isEqualTo(3);
        KeyValueCache.Recurrence before = cache.recurrence(1);
        cache.keep(1, new KeyValueCache.Recurrence(state(5), state(6)), 2);
        assertThat(before.cell().toFloats()).containsOnly(4);
        assertThat(cache.recurrence(1).hidden().toFloats()).containsOnly(5);
        assertThat(cache.recurrence(0).hidden().toFloats()).containsOnly(1);
        assertThat(cache.length()).isEqualTo(5);
        cache.forget();
        assertThat(cache.recurrence(1)).isNull();
        assertThat(cache.length()).isZero();
    }

    private static Tensor state(float value) {
        return Tensor.of(new float[] {value, value}, 1, 2);
    }
}
