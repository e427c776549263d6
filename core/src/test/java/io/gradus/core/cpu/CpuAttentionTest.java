package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.AttentionContract;
import java.util.List;

final class CpuAttentionTest extends AttentionContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
