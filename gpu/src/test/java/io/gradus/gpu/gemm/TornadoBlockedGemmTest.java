package io.gradus.gpu.gemm;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link BlockedGemm}. */
final class TornadoBlockedGemmTest extends GemmContract {
    private final Device device = GemmDevices.device(Gemm.Algorithm.BLOCKED);

    @Override
    protected Device device() {
        return device;
    }
}
