package io.gradus.core.cpu;

import io.gradus.core.Device;
import java.util.List;

/** The CPU with one, two, three and eight threads. Results must not depend on the number. */
final class CpuDevices {
    static final Device ONE = Device.cpu(1);
    /** One thread again, two, and slightly and much more than the number of processors. */
    static final List<Device> SAME_BITS = List.of(ONE, Device.cpu(2), Device.cpu(3), Device.cpu(8));

    private CpuDevices() {}
}
