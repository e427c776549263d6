package io.gradus.core.cpu.common;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** The memory available for tensors, outside the Java heap. */
public final class HostMemory {
    private HostMemory() {}

    /** The machine's memory minus the heap, limited to what the JVM may allocate. */
    public static long forTensors() {
        Runtime heap = Runtime.getRuntime();
        return forTensors(physical(), direct(), heap.totalMemory(), heap.maxMemory());
    }

    /** {@link #forTensors()} with a limit, where 0 means the default: as much as the heap. */
    public static long forTensors(long physical, long limit, long heap, long largestHeap) {
        return Math.min(physical - heap, limit > 0 ? limit : largestHeap);
    }

    /** The memory of the machine or the container. */
    private static long physical() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }

    /** The value of {@code -XX:MaxDirectMemorySize}, or 0 if it is not set. */
    private static long direct() {
        return Long.parseLong(ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .getVMOption("MaxDirectMemorySize")
                .getValue());
    }
}
