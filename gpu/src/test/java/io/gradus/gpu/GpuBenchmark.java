package io.gradus.gpu;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.gpu.gemm.Gemm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Measures matrix products in GFLOP/s: each {@link Gemm.Algorithm}, the usual TornadoVM code (a task of two {@code
 * @Parallel} loops), and the CPU backend. The arguments select algorithms.
 */
public final class GpuBenchmark {
    private static final double SECONDS = 0.5;

    private GpuBenchmark() {}

    /** A product {@code op(A)·op(B)}. */
    private record Product(String name, int m, int n, int k, boolean transposeA, boolean transposeB) {
        static Product square(int n) {
            return new Product(Integer.toString(n), n, n, n, false, false);
        }

        double operations() {
            return 2.0 * m * n * k;
        }

        Shape a() {
            return transposeA ? Shape.of(k, m) : Shape.of(m, k);
        }

        Shape b() {
            return transposeB ? Shape.of(n, k) : Shape.of(k, n);
        }
    }

    public static void main(String[] arguments) {
        Device gpu = Device.gpu();
        TornadoBackend backend = (TornadoBackend) gpu.backend();
        List<Gemm.Algorithm> algorithms = arguments.length == 0
                ? List.of(Gemm.Algorithm.values())
                : Arrays.stream(arguments).map(each -> Gemm.chosen(each, true)).toList();
        System.out.println(backend.description());
        System.out.println(Device.cpu().backend().description());
        System.out.println("Matrix products, GFLOP/s");
        StringBuilder head = new StringBuilder(String.format("%-10s %5s x %5s x %5s", "", "m", "n", "k"));
        algorithms.forEach(
                algorithm -> head.append(String.format("%10s", algorithm.name().toLowerCase(Locale.ROOT))));
        System.out.println(head.append(String.format("%11s%10s", "@Parallel", "CPU")));
        for (Product product : products(backend.launcher().isCpu())) {
            StringBuilder line = new StringBuilder(
                    String.format("%-10s %5d x %5d x %5d", product.name, product.m, product.n, product.k));
            for (Gemm.Algorithm algorithm : algorithms) {
                line.append(attempt(10, () -> kernel(gpu, new Gemm(backend.launcher(), algorithm), product)));
            }
            line.append(attempt(11, () -> parallel(backend, product)));
            line.append(String.format(
                    Locale.ROOT,
                    "%10.1f",
                    kernel(Device.cpu(), Device.cpu().kernels().gemm(), product)));
            System.out.println(line);
        }
    }

    private static List<Product> products(boolean small) {
        List<Product> products = new ArrayList<>();
        for (int n : small ? new int[] {256, 512, 1024} : new int[] {256, 512, 1024, 2048, 4096}) {
            products.add(Product.square(n));
        }
        // GPT-2: the products of a layer, gradients of input and weight, and the head
        int tokens = small ? 256 : 8192;
        products.add(new Product("qkv", tokens, 2304, 768, false, false));
        products.add(new Product("up", tokens, 3072, 768, false, false));
        products.add(new Product("up dX", tokens, 768, 3072, false, true));
        products.add(new Product("up dW", 768, 3072, tokens, true, false));
        products.add(new Product("head", small ? 32 : tokens, 50_257, 768, false, true));
        return products;
    }

    /** A measurement for the table. If it fails, the message goes to standard error. */
    private static String attempt(int width, Callable<Double> measurement) {
        try {
            return String.format(Locale.ROOT, "%" + width + ".1f", measurement.call());
        } catch (Exception | TornadoInternalError | OutOfMemoryError e) {
            System.err.println(e.getMessage());
            return String.format("%" + width + "s", "failed");
        }
    }

    private static double kernel(Device device, GemmKernels gemm, Product product) {
        Tensor a = Tensor.full(device, DType.F32, product.a(), 0.5, MemoryCategory.WORKSPACE);
        Tensor b = Tensor.full(device, DType.F32, product.b(), 0.25, MemoryCategory.WORKSPACE);
        Tensor out = Tensor.empty(device, DType.F32, Shape.of(product.m, product.n), MemoryCategory.WORKSPACE);
        try {
            double speed = speed(product, () -> gemm.matmul(a, product.transposeA, b, product.transposeB, out, false));
            double last =
                    out.reshape(out.size()).slice(out.size() - 1, out.size()).item();
            if (last != product.k * 0.125) {
                throw new IllegalStateException(product + " gave " + last + " and not " + product.k * 0.125);
            }
            return speed;
        } finally {
            a.release();
            b.release();
            out.release();
        }
    }

    /** Loops that TornadoVM parallelizes, compiled for these sizes. */
    private static double parallel(TornadoBackend backend, Product product) throws TornadoExecutionPlanException {
        FloatArray a = new FloatArray(product.m * product.k);
        FloatArray b = new FloatArray(product.k * product.n);
        FloatArray out = new FloatArray(product.m * product.n);
        a.init(0.5f);
        b.init(0.25f);
        int aRow = product.transposeA ? 1 : product.k;
        int aInner = product.transposeA ? product.m : 1;
        int bInner = product.transposeB ? 1 : product.n;
        int bColumn = product.transposeB ? product.k : 1;
        TaskGraph graph = new TaskGraph("parallel")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, a, b)
                .task(
                        "product",
                        GpuBenchmark::loops,
                        a,
                        b,
                        out,
                        product.m,
                        product.n,
                        product.k,
                        aRow,
                        aInner,
                        bInner,
                        bColumn)
                .transferToHost(DataTransferMode.UNDER_DEMAND, out);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.withDevice(backend.device());
            return speed(product, plan::execute);
        }
    }

    private static void loops(
            FloatArray a,
            FloatArray b,
            FloatArray out,
            int m,
            int n,
            int k,
            int aRow,
            int aInner,
            int bInner,
            int bColumn) {
        for (@Parallel int row = 0; row < m; row++) {
            for (@Parallel int column = 0; column < n; column++) {
                float sum = 0;
                for (int i = 0; i < k; i++) {
                    sum += a.get(row * aRow + i * aInner) * b.get(i * bInner + column * bColumn);
                }
                out.set(row * n + column, sum);
            }
        }
    }

    /** GFLOP/s of the fastest of several runs, after a warm-up of the same duration, which includes compilation. */
    private static double speed(Product product, Runnable run) {
        fastest(run);
        return product.operations() / fastest(run) / 1e9;
    }

    private static double fastest(Runnable run) {
        double best = Double.POSITIVE_INFINITY;
        double total = 0;
        for (int i = 0; i < 2 || total < SECONDS && i < 1000; i++) {
            long start = System.nanoTime();
            run.run();
            double seconds = (System.nanoTime() - start) / 1e9;
            best = Math.min(best, seconds);
            total += seconds;
        }
        return best;
    }
}
