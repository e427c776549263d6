package io.gradus.gpu.gemm;

import static io.gradus.gpu.runtime.Launcher.floats;

import io.gradus.gpu.runtime.Kernel;
import io.gradus.gpu.runtime.Launcher;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** One work-item per element of the result, which reads a row and a column from global memory. */
final class NaiveGemm {
    private static final Kernel NAIVE = Kernel.of("gemm_naive", NaiveGemm::naiveKernel);

    private NaiveGemm() {}

    static void run(Launcher launcher, GemmProduct p) {
        launcher.run(NAIVE, p.out().size(), p.ints(p.out().size()), floats(), p.operands());
    }

    private static void naiveKernel(
            KernelContext c, IntArray d, FloatArray s, FloatArray a, FloatArray b, FloatArray bias, FloatArray out) {
        int item = c.globalIdx;
        if (item < d.get(GemmProduct.ITEMS)) {
            int m = d.get(GemmProduct.M);
            int n = d.get(GemmProduct.N);
            int k = d.get(GemmProduct.K);
            int row = item / n;
            int column = item % n;
            int batch = row / m;
            int aInner = d.get(GemmProduct.A_INNER);
            int bInner = d.get(GemmProduct.B_INNER);
            int ai = GemmProduct.matrix(d, 0, batch) + row % m * d.get(GemmProduct.A_ROW);
            int bi = GemmProduct.matrix(d, 1, batch) + column * d.get(GemmProduct.B_COLUMN);
            float sum = 0;
            for (int from = 0; from < k; from += GemmProduct.PART) {
                int to = from + GemmProduct.PART < k ? from + GemmProduct.PART : k;
                float part = 0;
                for (int i = from; i < to; i++) {
                    part += a.get(ai + i * aInner) * b.get(bi + i * bInner);
                }
                sum += part;
            }
            GemmProduct.store(d, bias, out, row, column, sum, true, true);
        }
    }
}
