package io.gradus.gpu.gemm;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link NaiveGemm}. */
final class TornadoNaiveGemmTest extends GemmContract {
    private final Device device = GemmDevices.device(Gemm.Algorithm.NAIVE);

    @Override
    protected Device device() {
        return device;
    }
}
