package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.RotaryContract;
import java.util.List;

final class CpuRotaryTest extends RotaryContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
