package io.gradus.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmContract;
import io.gradus.core.kernel.GemmKernels.Epilogue;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class CpuGemmTest extends GemmContract {

    @Override
    protected Device device() {
        return CpuDevices.ONE;
    }

    @Override
    protected List<Device> sameBits() {
        return CpuDevices.SAME_BITS;
    }

    /** With one block of k and with several, and with rows that do not fill a vector. */
    @Test
    void biasIsAddedToTheRoundedProduct() {
        for (int[] size : new int[][] {{1, 9, 21}, {19, 40, 37}, {7, 900, 130}, {12, 3200, 64}}) {
            Tensor a = random(size[0], size[1]);
            Tensor b = random(size[1], size[2]);
            Tensor bias = random(1, size[2]).reshape(size[2]);
            Tensor product = empty(size[0], size[2]);
            Tensor sum = empty(size[0], size[2]);
            device().kernels().gemm().matmul(a, false, b, false, product, false);
            device().kernels().gemm().matmul(a, false, b, false, new Epilogue(bias, null), sum);
            float[] expected = product.toFloats();
            float[] terms = bias.toFloats();
            for (int i = 0; i < expected.length; i++) {
                expected[i] += terms[i % terms.length];
            }
            assertThat(sum.toFloats()).containsExactly(expected);
        }
    }

    private Tensor empty(long rows, long columns) {
        return Tensor.empty(device(), DType.F32, Shape.of(rows, columns), MemoryCategory.ACTIVATIONS);
    }

    private Tensor random(int rows, int columns) {
        SplittableRandom random = new SplittableRandom(rows + columns);
        float[] elements = new float[rows * columns];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = random.nextFloat() - 0.5f;
        }
        return Tensor.of(device(), elements, rows, columns);
    }
}
