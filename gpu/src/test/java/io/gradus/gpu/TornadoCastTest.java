package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.CastContract;

final class TornadoCastTest extends CastContract {

    @Override
    protected Device device() {
        return Device.gpu();
    }
}
