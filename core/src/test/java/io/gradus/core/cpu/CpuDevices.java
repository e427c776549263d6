package io.gradus.core.cpu;

import io.gradus.core.Device;
import java.util.List;

/** The CPU with one, two, three and eight threads: results must not depend on it. */
final class CpuDevices {
    static final Device ONE = Device.cpu(1);
    /** One thread a second time, two, and more than there may be processors, by one and by many. */
    static final List<Device> SAME_BITS = List.of(ONE, Device.cpu(2), Device.cpu(3), Device.cpu(8));

    private CpuDevices() {}
}
