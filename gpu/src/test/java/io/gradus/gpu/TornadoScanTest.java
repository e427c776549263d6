package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.ScanContract;

final class TornadoScanTest extends ScanContract {
    @Override
    protected Device device() {
        return Device.gpu();
    }
}
