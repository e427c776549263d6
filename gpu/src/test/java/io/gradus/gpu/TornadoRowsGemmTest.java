package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link GemmRows}. */
final class TornadoRowsGemmTest extends GemmContract {
    private final Device device = GemmRungs.device(Gemm.Rung.ROWS);

    @Override
    protected Device device() {
        return device;
    }
}
