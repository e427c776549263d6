package io.gradus.bench.jmh;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamStep;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One kernel of each kind: limited by arithmetic, by memory bandwidth, or by both. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class Kernels {
    static final int SQUARE = 1024;
    static final int WEIGHTS = 10_000_000;
    static final int ROWS = 1024;
    static final int WIDTH = 768;

    @Param("1")
    public int threads;

    private Device device;
    private Tensor a;
    private Tensor b;
    private Tensor product;
    private Tensor weights;
    private Tensor gradient;
    private Tensor first;
    private Tensor second;
    private Tensor hidden;
    private Tensor activated;
    private Tensor rows;
    private Tensor scale;
    private Tensor normalized;
    private Tensor mean;
    private Tensor rstd;
    private long step;

    @Setup
    public void make() {
        device = Device.cpu(threads);
        a = full(0.5, SQUARE, SQUARE);
        b = full(0.25, SQUARE, SQUARE);
        product = full(0, SQUARE, SQUARE);
        weights = full(0.1, WEIGHTS);
        gradient = full(0.01, WEIGHTS);
        first = full(0, WEIGHTS);
        second = full(0, WEIGHTS);
        hidden = full(0.7, ROWS, 4 * WIDTH);
        activated = full(0, ROWS, 4 * WIDTH);
        rows = full(0.3, ROWS, WIDTH);
        scale = full(1, WIDTH);
        normalized = full(0, ROWS, WIDTH);
        mean = full(0, ROWS);
        rstd = full(0, ROWS);
    }

    private Tensor full(double value, long... shape) {
        return Tensor.full(device, DType.F32, Shape.of(shape), value, MemoryCategory.ACTIVATIONS);
    }

    @Benchmark
    public Tensor gemm() {
        device.kernels().gemm().matmul(a, false, b, false, product, false);
        return product;
    }

    @Benchmark
    public Tensor adamW() {
        AdamStep adam = new AdamStep(1e-4, 0.9, 0.999, 1e-8, 0.01, true, 1, ++step);
        device.kernels().optimizerSteps().adam(weights, gradient, first, second, adam);
        return weights;
    }

    @Benchmark
    public Tensor geluTanh() {
        device.kernels().elementwise().unary(Unary.GELU_TANH, hidden, activated);
        return activated;
    }

    @Benchmark
    public Tensor layerNorm() {
        device.kernels().normalization().layerNorm(rows, scale, scale, 1e-5, normalized, mean, rstd);
        return normalized;
    }
}
