package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.MovementContract;

final class TornadoMovementTest extends MovementContract {

    @Override
    protected Device device() {
        return Device.gpu();
    }
}
