package io.gradus.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.OptimizerStepKernels.Adafactor;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sizes with more parts than a work-group has items, and with parts larger than the minimum. */
final class AdafactorStepTest {
    private static final Adafactor SETTINGS = new Adafactor(0.01, -0.8, 0x1p-23, 1e-3, 1, 0.1, true);

    @ParameterizedTest
    @CsvSource({"523, 997", "2203, 1009"})
    void adafactorOfLargeMatricesMatchesCpu(int rows, int columns) {
        float[] gpu = step(Device.gpu(), new long[] {rows, columns}, new long[] {rows, 1}, new long[] {1, columns});
        float[] cpu = step(Device.cpu(), new long[] {rows, columns}, new long[] {rows, 1}, new long[] {1, columns});
        assertThat(farthest(gpu, cpu)).isLessThan(1e-6f);
    }

    @ParameterizedTest
    @CsvSource({"521431", "2222827"})
    void adafactorOfLongVectorsMatchesCpu(int length) {
        float[] gpu = step(Device.gpu(), new long[] {length}, new long[] {length}, null);
        float[] cpu = step(Device.cpu(), new long[] {length}, new long[] {length}, null);
        assertThat(farthest(gpu, cpu)).isLessThan(1e-6f);
    }

    private static float[] step(Device device, long[] shape, long[] variance, long @Nullable [] columnVariance) {
        Tensor parameter = numbers(device, 1, shape);
        Tensor gradient = numbers(device, 2, shape);
        Tensor rows = zeros(device, variance);
        Tensor columns = columnVariance == null ? null : zeros(device, columnVariance);
        device.kernels().optimizerSteps().adafactor(parameter, gradient, rows, columns, SETTINGS, 0.5, 1);
        return parameter.toFloats();
    }

    /** The largest distance of two elements at the same index; infinite if one is NaN. */
    private static float farthest(float[] a, float[] b) {
        float most = 0;
        for (int i = 0; i < a.length; i++) {
            float apart = Math.abs(a[i] - b[i]);
            most = Float.isNaN(apart) ? Float.POSITIVE_INFINITY : Math.max(most, apart);
        }
        return most;
    }

    private static Tensor numbers(Device device, long seed, long... shape) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] elements = new float[size(shape)];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) random.nextDouble(-2, 2);
        }
        return Tensor.of(device, elements, shape);
    }

    private static Tensor zeros(Device device, long... shape) {
        return Tensor.of(device, new float[size(shape)], shape);
    }

    private static int size(long... shape) {
        long size = 1;
        for (long length : shape) {
            size *= length;
        }
        return Math.toIntExact(size);
    }
}
