package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.SoftmaxContract;

final class TornadoSoftmaxTest extends SoftmaxContract {
    @Override
    protected Device device() {
        return Device.gpu();
    }
}
