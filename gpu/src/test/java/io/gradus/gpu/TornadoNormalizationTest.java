package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.NormalizationContract;

final class TornadoNormalizationTest extends NormalizationContract {
    @Override
    protected Device device() {
        return Device.gpu();
    }
}
