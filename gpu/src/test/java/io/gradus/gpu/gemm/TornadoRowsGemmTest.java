package io.gradus.gpu.gemm;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link RowsGemm}. */
final class TornadoRowsGemmTest extends GemmContract {
    private final Device device = GemmDevices.device(Gemm.Algorithm.ROWS);

    @Override
    protected Device device() {
        return device;
    }
}
