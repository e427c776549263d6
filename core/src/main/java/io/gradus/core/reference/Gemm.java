package io.gradus.core.reference;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.GemmKernels;

/** Each element of a product is the dot product of a row and a column. */
final class Gemm implements GemmKernels {

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean accumulate) {
        Shape batch = batch(out.shape());
        long rows = out.shape().get(-2);
        long columns = out.shape().get(-1);
        long inner = a.shape().get(transposeA ? -2 : -1);
        long[] stridesA = batch(a.shape()).broadcastStrides(batch);
        long[] stridesB = batch(b.shape()).broadcastStrides(batch);
        Elements left = Elements.of(a);
        Elements right = Elements.of(b);
        Elements product = Elements.of(out);
        for (long n = 0; n < batch.size(); n++) {
            long fromA = Elements.position(n, batch, stridesA) * rows * inner;
            long fromB = Elements.position(n, batch, stridesB) * inner * columns;
            for (long i = 0; i < rows; i++) {
                for (long j = 0; j < columns; j++) {
                    double sum = 0;
                    for (long k = 0; k < inner; k++) {
                        long atA = transposeA ? k * rows + i : i * inner + k;
                        long atB = transposeB ? j * inner + k : k * columns + j;
                        sum += left.get(fromA + atA) * right.get(fromB + atB);
                    }
                    product.put((n * rows + i) * columns + j, sum, accumulate);
                }
            }
        }
    }

    private static Shape batch(Shape shape) {
        return shape.sub(0, shape.rank() - 2);
    }
}
