package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link GemmLanes}. */
final class TornadoLanesGemmTest extends GemmContract {
    private final Device device = GemmRungs.device(Gemm.Rung.LANES);

    @Override
    protected Device device() {
        return device;
    }
}
