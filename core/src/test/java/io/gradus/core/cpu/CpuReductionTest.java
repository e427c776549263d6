package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.ReductionContract;
import java.util.List;

final class CpuReductionTest extends ReductionContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
