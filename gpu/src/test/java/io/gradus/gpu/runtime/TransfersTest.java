package io.gradus.gpu.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import org.junit.jupiter.api.Test;

final class TransfersTest {

    @Test
    void uploadThenDownloadReturnsTheSameElements() {
        Device gpu = Device.gpu();
        float[] floats = new float[3_000_001];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = i * 0.5f;
        }
        assertThat(Tensor.of(gpu, floats, floats.length).toFloats()).isEqualTo(floats);
        assertThat(Tensor.of(gpu, new int[] {1, -2, Integer.MAX_VALUE}, 3).toInts())
                .containsExactly(1, -2, Integer.MAX_VALUE);
        assertThat(Tensor.of(gpu, new double[] {1e300, -2}, 2).toDoubles()).containsExactly(1e300, -2);
    }
}
