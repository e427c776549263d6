package io.gradus.core.cpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.Device;
import io.gradus.core.cpu.machine.MachineCode;
import io.gradus.core.cpu.vector.VectorSupport;
import io.gradus.core.cpu.vector.gemm.Arithmetic;
import io.gradus.core.kernel.Bf16GemmContract;
import io.gradus.core.kernel.SplitGemmContract;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/** Products of BF16, by each of the ways to compute them that this processor has. */
final class CpuBf16GemmTest {

    @BeforeAll
    static void vectorsAreUsable() {
        assumeTrue(VectorSupport.isUsable(), "the scalar kernels compute products in F32");
    }

    /** The CPU with one thread and with three, whose results must be the same. */
    private static List<Device> devices(Arithmetic arithmetic) {
        return List.of(device(1, arithmetic), device(3, arithmetic));
    }

    private static Device device(int threads, Arithmetic arithmetic) {
        return new Device("cpu", 0, new CpuBackend(threads).with(arithmetic));
    }

    @Nested
    final class InVectors extends Bf16GemmContract {
        private static final List<Device> DEVICES = devices(Arithmetic.ROUNDED);

        @Override
        protected Device device() {
            return DEVICES.getFirst();
        }

        @Override
        protected List<Device> sameBits() {
            return List.of(DEVICES.getLast());
        }
    }

    @Nested
    final class InPairs extends Bf16GemmContract {
        private static final List<Device> DEVICES = devices(Arithmetic.PAIRED);

        @BeforeAll
        static void processorHasTheInstruction() {
            assumeTrue(Arithmetic.hasPairs(), MachineCode.description());
        }

        @Override
        protected Device device() {
            return DEVICES.getFirst();
        }

        @Override
        protected List<Device> sameBits() {
            return List.of(DEVICES.getLast());
        }
    }

    @Nested
    final class InPairsOfSplitOperands extends SplitGemmContract {
        private static final List<Device> DEVICES = devices(Arithmetic.SPLIT);

        @BeforeAll
        static void processorHasTheInstruction() {
            assumeTrue(Arithmetic.hasPairs(), MachineCode.description());
        }

        @Override
        protected Device device() {
            return DEVICES.getFirst();
        }

        @Override
        protected List<Device> sameBits() {
            return List.of(DEVICES.getLast());
        }
    }

    @Nested
    final class InTiles extends Bf16GemmContract {
        private static final List<Device> DEVICES = devices(Arithmetic.TILES);

        @BeforeAll
        static void processorHasTheInstruction() {
            assumeTrue(Arithmetic.hasTiles(), MachineCode.description());
        }

        @Override
        protected Device device() {
            return DEVICES.getFirst();
        }

        @Override
        protected List<Device> sameBits() {
            return List.of(DEVICES.getLast());
        }
    }

    @Nested
    final class InTilesOfSplitOperands extends SplitGemmContract {
        private static final List<Device> DEVICES = devices(Arithmetic.SPLIT_TILES);

        @BeforeAll
        static void processorHasTheInstruction() {
            assumeTrue(Arithmetic.hasTiles(), MachineCode.description());
        }

        @Override
        protected Device device() {
            return DEVICES.getFirst();
        }

        @Override
        protected List<Device> sameBits() {
            return List.of(DEVICES.getLast());
        }
    }
}
