package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.RotaryContract;

final class TornadoRotaryTest extends RotaryContract {

    @Override
    protected Device device() {
        return Device.gpu();
    }
}
