package io.gradus.gpu.gemm;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link BlockedGemm}. */
final class TornadoBlockedGemmTest extends GemmContract {
    private final Device device = GemmRungs.device(Gemm.Rung.BLOCKED);

    @Override
    protected Device device() {
        return device;
    }
}
