package io.gradus.core.cpu.common;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** How much memory there is for tensors, which lie outside the Java heap. */
public final class HostMemory {
    private HostMemory() {}

    /** What the machine has beside the heap, or as much of it as the JVM may take. */
    public static long forTensors() {
        Runtime heap = Runtime.getRuntime();
        return forTensors(physical(), direct(), heap.totalMemory(), heap.maxMemory());
    }

    /** {@link #forTensors()} with a limit that is 0 where nobody gave one: then it is as high as the heap's. */
    public static long forTensors(long physical, long limit, long heap, long largestHeap) {
        return Math.min(physical - heap, limit > 0 ? limit : largestHeap);
    }

    /** The machine's memory; in a container, the container's. */
    private static long physical() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }

    /** What {@code -XX:MaxDirectMemorySize} says; 0 when it was not given. */
    private static long direct() {
        return Long.parseLong(ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .getVMOption("MaxDirectMemorySize")
                .getValue());
    }
}
