package io.gradus.core.cpu;

import io.gradus.core.Device;
import io.gradus.core.kernel.LstmContract;
import java.util.List;

final class CpuLstmTest extends LstmContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }
}
