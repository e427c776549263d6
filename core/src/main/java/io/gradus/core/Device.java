package io.gradus.core;

import io.gradus.core.cpu.CpuBackend;
import io.gradus.core.kernel.Kernels;
import io.gradus.core.meta.MetaBackend;
import io.gradus.core.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where a tensor is stored and computed: a CPU, a GPU, or a device for tests. Two devices are equal if they share a backend.
 *
 * {@snippet :
 * Device cpu = Device.cpu();
 * Tensor x = Tensor.of(cpu, new float[] {1, 2, 3, 4}, 2, 2);
 * Tensor y = x.emptyLike(x.shape());
 * cpu.kernels().softmax().softmax(x, y);
 * System.out.println(cpu + ": " + cpu.backend().description());
 * }
 */
public final class Device {
    private final String type;
    private final int index;
    private final Backend backend;
    private @Nullable Kernels kernels;

    /**
     * @param type {@code cpu}, {@code gpu}, {@code reference} or {@code meta}
     * @param index from 0 among devices of this type
     * @param backend memory and kernels
     */
    public Device(String type, int index, Backend backend) {
        this.type = type;
        this.index = index;
        this.backend = backend;
    }

    /** The CPU, with {@code -Dgradus.threads} threads, by default one per processor. */
    public static Device cpu() {
        return Shared.CPU;
    }

    /**
     * The CPU with a given number of threads. Results do not depend on the number.
     *
     * @param threads at least 1
     */
    public static Device cpu(int threads) {
        return new Device("cpu", 0, new CpuBackend(threads));
    }

    /** The reference that all other devices are tested against: plain loops in double precision. Its tensors are {@link DType#F64} or {@link DType#I32}. */
    public static Device reference() {
        return Shared.REFERENCE;
    }

    /** A new device that counts the bytes of its tensors and computes nothing; see {@link MetaBackend}. */
    public static Device meta() {
        return meta(DType.F32, DType.BF16);
    }

    /**
     * A new device that counts the bytes of a device whose kernels read and write other dtypes.
     *
     * @param computed those dtypes
     */
    public static Device meta(DType... computed) {
        return new Device("meta", 0, new MetaBackend(Set.of(computed)));
    }

    /**
     * The first GPU that a backend on the class path provides.
     *
     * @throws IllegalStateException if there is none; the message says what is missing
     */
    public static Device gpu() {
        List<String> reasons = new ArrayList<>();
        for (BackendProvider provider : ServiceLoader.load(BackendProvider.class)) {
            List<Device> devices = provider.devices();
            if (!devices.isEmpty()) {
                return devices.getFirst();
            }
            reasons.add(provider.explanation());
        }
        throw new IllegalStateException("device gpu: "
                + (reasons.isEmpty()
                        ? "no GPU backend is on the class path (gradus-gpu, which ./gradus builds where a TornadoVM"
                                + " SDK is installed: sdk install tornadovm); run on device=cpu"
                        : String.join("; ", reasons)));
    }

    /** All devices that this JVM can compute on, the CPU first. */
    public static List<Device> all() {
        List<Device> devices = new ArrayList<>(List.of(cpu()));
        ServiceLoader.load(BackendProvider.class).forEach(provider -> devices.addAll(provider.devices()));
        return List.copyOf(devices);
    }

    /** {@code cpu}, {@code gpu}, {@code reference} or {@code meta}. */
    public String type() {
        return type;
    }

    /** From 0 among devices of this type. */
    public int index() {
        return index;
    }

    public Backend backend() {
        return backend;
    }

    /** How precisely this device computes matrix products of F32. */
    public MatmulPrecision matmulPrecision() {
        return backend.matmulPrecision();
    }

    /**
     * This device, with matrix products of F32 in another precision. It shares this device's memory and threads, and tensors of both
     * can be operands of one kernel. An operation computes on the device of its first operand.
     *
     * @throws UnsupportedOperationException if the device has only one precision
     */
    public Device withMatmulPrecision(MatmulPrecision precision) {
        if (precision == matmulPrecision()) {
            return this;
        }
        Backend other = backend.withMatmulPrecision(precision)
                .orElseThrow(() -> new UnsupportedOperationException("device " + this
                        + " computes matrix products in one precision, " + matmulPrecision() + ", not in " + precision
                        + "; use the CPU"));
        return new Device(type, index, other);
    }

    /**
     * The kernels of this device. Each checks the dtypes, devices and shapes of its operands first, and throws a
     * {@link ShapeException} or IllegalArgumentException that names the operation, the operands and the fix.
     */
    public Kernels kernels() {
        // Creating them twice does no harm: a record of final fields is safe to publish without synchronization.
        Kernels checked = kernels;
        if (checked == null) {
            checked = backend.kernels().checked();
            kernels = checked;
        }
        return checked;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Device device
                && type.equals(device.type)
                && index == device.index
                && backend.equals(device.backend);
    }

    @Override
    public int hashCode() {
        return Objects.hash(type, index, backend);
    }

    /** As {@code cpu} or {@code gpu:1}. */
    @Override
    public String toString() {
        return index == 0 ? type : type + ":" + index;
    }

    /** Created on first use. */
    private static final class Shared {
        static final Device CPU = cpu(CpuBackend.defaultThreads());
        static final Device REFERENCE = new Device("reference", 0, new ReferenceBackend());
    }
}
