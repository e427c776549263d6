package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.EmbeddingContract;
import java.util.List;

final class CpuEmbeddingTest extends EmbeddingContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
