package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.GemmContract;

/** {@link GemmNaive}. */
final class TornadoNaiveGemmTest extends GemmContract {
    private final Device device = GemmRungs.device(Gemm.Rung.NAIVE);

    @Override
    protected Device device() {
        return device;
    }
}
