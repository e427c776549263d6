package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.NormalizationContract;
import java.util.List;

final class CpuNormalizationTest extends NormalizationContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
