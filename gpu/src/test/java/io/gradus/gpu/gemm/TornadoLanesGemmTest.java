package io.gradus.gpu.gemm;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link LanesGemm}. */
final class TornadoLanesGemmTest extends GemmContract {
    private final Device device = GemmDevices.device(Gemm.Algorithm.LANES);

    @Override
    protected Device device() {
        return device;
    }
}
