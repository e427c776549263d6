package io.gradus.gpu.attention;

import io.gradus.core.Device;
import io.gradus.core.kernel.AttentionContract;

final class TornadoAttentionTest extends AttentionContract {
    @Override
    protected Device device() {
        return Device.gpu();
    }
}
