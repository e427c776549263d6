package io.gradus.bench.profile;

import io.gradus.bench.cases.Precision;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/** How fast a device multiplies large matrices. */
public final class ProductSpeed {
    private static final int SIZE = 2048;
    private static final int REPETITIONS = 20;

    private ProductSpeed() {}

    /** 10⁹ floating-point operations per second in the fastest of several products of 2048 × 2048 × 2048. */
    public static double gigaFlops(Device device, Precision precision) {
        Device on = device.withMatmulPrecision(precision.products());
        Tensor a = Tensor.zeros(on, operands(precision), Shape.of(SIZE, SIZE), MemoryCategory.WORKSPACE);
        Tensor b = Tensor.zeros(on, operands(precision), Shape.of(SIZE, SIZE), MemoryCategory.WORKSPACE);
        Tensor c = Tensor.zeros(on, operands(precision), Shape.of(SIZE, SIZE), MemoryCategory.WORKSPACE);
        double best = Double.MAX_VALUE;
        for (int i = 0; i < REPETITIONS; i++) {
            long start = System.nanoTime();
            on.kernels().gemm().matmul(a, false, b, false, c, false);
            best = Math.min(best, System.nanoTime() - start);
        }
        return 2.0 * SIZE * SIZE * SIZE / best;
    }

    /** Products of F16 are computed in F32. */
    private static DType operands(Precision precision) {
        return precision.dtype() == DType.F16 ? DType.F32 : precision.dtype();
    }
}
