package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.MovementContract;
import java.util.List;

final class CpuMovementTest extends MovementContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
