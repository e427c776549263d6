package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.CrossEntropyContract;
import java.util.List;

final class CpuCrossEntropyTest extends CrossEntropyContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
