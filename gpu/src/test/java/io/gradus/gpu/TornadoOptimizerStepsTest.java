package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.OptimizerStepsContract;

final class TornadoOptimizerStepsTest extends OptimizerStepsContract {

    @Override
    protected Device device() {
        return Device.gpu();
    }
}
