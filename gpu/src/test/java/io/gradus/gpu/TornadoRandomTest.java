package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.RandomContract;

final class TornadoRandomTest extends RandomContract {

    @Override
    protected Device device() {
        return Device.gpu();
    }
}
