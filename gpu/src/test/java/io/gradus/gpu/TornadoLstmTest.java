package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.LstmContract;

final class TornadoLstmTest extends LstmContract {

    @Override
    protected Device device() {
        return Device.gpu();
    }
}
