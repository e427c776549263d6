package io.gradus.gpu.gemm;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link TiledGemm}. */
final class TornadoTiledGemmTest extends GemmContract {
    private final Device device = GemmDevices.device(Gemm.Algorithm.TILED);

    @Override
    protected Device device() {
        return device;
    }
}
