package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.ElementwiseContract;
import java.util.List;

final class CpuElementwiseTest extends ElementwiseContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
