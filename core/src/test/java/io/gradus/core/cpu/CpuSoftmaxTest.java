package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.SoftmaxContract;
import java.util.List;

final class CpuSoftmaxTest extends SoftmaxContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
