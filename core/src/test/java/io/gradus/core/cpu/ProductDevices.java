package io.gradus.core.cpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.Device;
import io.gradus.core.cpu.machine.MachineCode;
import io.gradus.core.cpu.vector.VectorSupport;
import io.gradus.core.cpu.vector.gemm.Arithmetic;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/** CPUs with a kind of products each, with one thread and with three. */
final class ProductDevices {
    private static final Map<String, List<Device>> DEVICES = new ConcurrentHashMap<>();

    private ProductDevices() {}

    /** Skips the test if this processor has no such products. */
    static List<Device> of(String name) {
        assumeTrue(VectorSupport.isUsable(), "the scalar kernels compute products in F32");
        boolean usable = switch (name) {
            case "ROUNDED" -> true;
            case "PAIRED", "SPLIT" -> Arithmetic.hasPairs();
            default -> Arithmetic.hasTiles();
        };
        assumeTrue(usable, MachineCode.description());
        return DEVICES.computeIfAbsent(
                name,
                _ -> IntStream.of(1, 3)
                        .mapToObj(threads -> new Device("cpu", 0, new CpuBackend(threads).with(arithmetic(name))))
                        .toList());
    }

    private static Arithmetic arithmetic(String name) {
        return switch (name) {
            case "ROUNDED" -> Arithmetic.ROUNDED;
            case "PAIRED" -> Arithmetic.PAIRED;
            case "SPLIT" -> Arithmetic.SPLIT;
            case "TILES" -> Arithmetic.TILES;
            case "SPLIT_TILES" -> Arithmetic.SPLIT_TILES;
            default -> throw new IllegalArgumentException(name);
        };
    }
}
