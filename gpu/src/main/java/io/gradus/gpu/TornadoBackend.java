package io.gradus.gpu;

import io.gradus.core.Backend;
import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.Kernels;
import io.gradus.gpu.attention.Attention;
import io.gradus.gpu.gemm.Gemm;
import io.gradus.gpu.runtime.DeviceMemory;
import io.gradus.gpu.runtime.Launcher;
import io.gradus.gpu.runtime.Transfers;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;

/**
 * A device that TornadoVM compiles for. It is initialized when the first tensor is created, and reserves its memory
 * then: {@code -Dgradus.gpu.memory=8g}, by default 85% of the memory of a GPU or a quarter of the memory of a CPU
 * device.
 */
public final class TornadoBackend implements Backend {
    private static final double FRACTION_OF_GPU = 0.85;
    private static final double FRACTION_OF_CPU = 0.25;

    private final TornadoDevice device;
    private final long bytes;
    private final long largestArray;
    private volatile @Nullable Machine started;

    TornadoBackend(TornadoDevice device) {
        this(device, memoryToReserve(device), device.getMaxAllocMemory());
    }

    /**
     * @param bytes how much memory to reserve
     * @param largestArray the largest size of one array, in bytes
     */
    public TornadoBackend(TornadoDevice device, long bytes, long largestArray) {
        this.device = device;
        this.bytes = bytes;
        this.largestArray = largestArray;
    }

    /** The memory and kernels of a device that has been initialized. */
    private static final class Machine {
        final DeviceMemory memory;
        final Launcher launcher;
        final Transfers transfers;
        final Kernels kernels;

        Machine(TornadoDevice device, String name, long bytes, long largestArray) {
            memory = new DeviceMemory(name, bytes, largestArray);
            launcher = new Launcher(device, name, memory);
            transfers = new Transfers(launcher);
            kernels = new Kernels(
                    new Gemm(launcher),
                    new Elementwise(launcher),
                    new Reduction(launcher),
                    new Softmax(launcher),
                    new CrossEntropy(launcher),
                    new Normalization(launcher),
                    new Rotary(launcher),
                    new Attention(launcher),
                    new Lstm(launcher),
                    new Embedding(launcher),
                    new Movement(launcher),
                    new Scan(launcher),
                    new Random(launcher),
                    new OptimizerSteps(launcher),
                    new Cast(launcher));
        }
    }

    private Machine machine() {
        Machine machine = started;
        if (machine == null) {
            synchronized (this) {
                machine = started;
                if (machine == null) {
                    machine = new Machine(device, name(), bytes, largestArray);
                    started = machine;
                }
            }
        }
        return machine;
    }

    private String name() {
        return device.getTornadoVMBackend() + " "
                + device.getPhysicalDevice().getDeviceName().strip();
    }

    private static long memoryToReserve(TornadoDevice device) {
        String property = System.getProperty("gradus.gpu.memory");
        if (property == null) {
            return (long) (device.getMaxGlobalMemory()
                    * (device.getDeviceType() == TornadoDeviceType.CPU ? FRACTION_OF_CPU : FRACTION_OF_GPU));
        }
        try {
            String digits = property.replaceAll("[kmgKMG]$", "");
            int power = digits.length() == property.length()
                    ? 0
                    : 1 + "kmg".indexOf(property.toLowerCase(Locale.ROOT).charAt(property.length() - 1));
            long bytes = Math.multiplyExact(Long.parseLong(digits), 1L << 10 * power);
            if (bytes >= 1 << 20) {
                return bytes;
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // reported below, together with sizes that are too small
        }
        throw new IllegalArgumentException(
                "-Dgradus.gpu.memory=" + property + " is not a size of at least 1m, such as 512m or 8g");
    }

    @Override
    public String description() {
        return String.format(
                Locale.ROOT, "%s, %.1f GB, kernels by TornadoVM", name(), device.getMaxGlobalMemory() / 1e9);
    }

    /** The memory for F32 tensors, approximately. The memory reserved for other dtypes is not counted. */
    @Override
    public long capacity() {
        return DeviceMemory.bytesForFloats(bytes);
    }

    /** The number of launches and the seconds spent in them; with profiling, also the seconds in kernels. */
    @Override
    public Map<String, Double> counters() {
        return machine().launcher.counters();
    }

    /** The TornadoVM device, for benchmarks. */
    public TornadoDevice device() {
        return device;
    }

    /** The launcher, for benchmarks and tests. */
    public Launcher launcher() {
        return machine().launcher;
    }

    @Override
    public Storage allocate(long bytes, MemoryCategory category) {
        throw new UnsupportedOperationException("gpu: memory is allocated for a dtype");
    }

    @Override
    public Storage allocate(DType dtype, long elements, MemoryCategory category) {
        return machine().memory.allocate(dtype, elements, category);
    }

    @Override
    public MemoryLedger memory() {
        return machine().memory.ledger();
    }

    @Override
    public void upload(MemorySegment source, Tensor target) {
        machine().transfers.upload(source, target);
    }

    @Override
    public void download(Tensor source, MemorySegment target) {
        machine().transfers.download(source, target);
    }

    @Override
    public Kernels kernels() {
        return machine().kernels;
    }
}
