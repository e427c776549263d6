package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link GemmBlocked}. */
final class TornadoBlockedGemmTest extends GemmContract {
    private final Device device = GemmRungs.device(Gemm.Rung.BLOCKED);

    @Override
    protected Device device() {
        return device;
    }
}
