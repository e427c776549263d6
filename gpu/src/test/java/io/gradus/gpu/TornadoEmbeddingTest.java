package io.gradus.gpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.EmbeddingContract;

final class TornadoEmbeddingTest extends EmbeddingContract {

    @Override
    protected Device device() {
        return Device.gpu();
    }
}
