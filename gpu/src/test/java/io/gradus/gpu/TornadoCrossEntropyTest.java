package io.gradus.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.CrossEntropyContract;
import org.junit.jupiter.api.Test;

final class TornadoCrossEntropyTest extends CrossEntropyContract {
    @Override
    protected Device device() {
        return Device.gpu();
    }

    @Test
    void countDownloadsTargetsWrittenOnTheDevice() {
        Tensor targets = Tensor.of(device(), new int[] {1, 2, 3, 4}, 4);
        device().kernels().elementwise().fill(targets.slice(1, 3), -100);
        assertThat(device().kernels().crossEntropy().count(targets, -100)).isEqualTo(2);
        device().kernels().elementwise().fill(targets, -100);
        assertThat(device().kernels().crossEntropy().count(targets, -100)).isZero();
    }
}
