package io.gradus.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class AbsentStorageTest {
    private final Device device = Device.cpu(1);
    private final Tensor absent = Tensor.absent(device, DType.F32, Shape.of(2, 2), MemoryCategory.WEIGHTS);

    @Test
    void elementsAreProvidedWhenTheyAreUsedAndAgainAfterTheyWereTakenAway() {
        int[] provided = new int[1];
        AbsentStorage storage = AbsentStorage.of(absent);
        storage.whenUsed(() -> {
            provided[0]++;
            storage.provide(Tensor.of(device, new float[] {provided[0], 2, 3, 4}, 4));
        });
        Tensor view = absent.slice(0, 1); // kept over all changes
        assertThat(provided[0]).isZero();
        assertThat(view.toFloats()).containsExactly(1, 2);
        assertThat(absent.toFloats()).containsExactly(1, 2, 3, 4);
        assertThat(provided[0]).isEqualTo(1);
        storage.takeAway();
        assertThat(view.toFloats()).containsExactly(2, 2);
        assertThat(provided[0]).isEqualTo(2);
    }

    @Test
    void absentTensorTakesNoMemory() {
        assertThat(absent.byteSize()).isEqualTo(16);
        assertThat(device.backend().memory().live()).isZero();
    }

    @Test
    void elementsThatNothingProvidesAreAnError() {
        assertThatThrownBy(() -> absent.storage())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the elements of this tensor are absent, and nothing provides them");
        assertThatThrownBy(() -> AbsentStorage.of(Tensor.of(device, new float[1], 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has memory of its own");
    }
}
