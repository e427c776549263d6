package io.gradus.core.reference;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ScanKernels;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Element i of line l along an axis of length n is at position {@code (l / s)·n·s + i·s + l % s}, where s is the axis's stride. */
final class Scan implements ScanKernels {

    @Override
    public void cumsum(Tensor x, int axis, boolean reverse, Tensor out, boolean accumulate) {
        int n = length(x.shape(), axis);
        long stride = x.shape().strides()[x.shape().axis(axis)];
        Elements from = Elements.of(x);
        Elements to = Elements.of(out);
        for (long line = 0; n > 0 && line < x.size() / n; line++) {
            double sum = 0;
            for (int i = 0; i < n; i++) {
                long position = position(line, reverse ? n - 1 - i : i, n, stride);
                sum += from.get(position);
                to.put(position, sum, accumulate);
            }
        }
    }

    @Override
    public void topk(Tensor x, int axis, Tensor values, Tensor indices) {
        int n = length(x.shape(), axis);
        int k = length(values.shape(), axis);
        long stride = x.shape().strides()[x.shape().axis(axis)];
        Elements from = Elements.of(x);
        Elements largest = Elements.of(values);
        Elements where = Elements.of(indices);
        for (long l = 0; k > 0 && l < values.size() / k; l++) {
            long line = l;
            // Sorting is stable, and 0.0 makes the two zeros equal.
            int[] order = IntStream.range(0, n)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer i) -> from.get(position(line, i, n, stride)) + 0.0)
                            .reversed())
                    .mapToInt(Integer::intValue)
                    .toArray();
            for (int i = 0; i < k; i++) {
                long position = position(line, i, k, stride);
                largest.set(position, from.get(position(line, order[i], n, stride)));
                where.setInt(position, order[i]);
            }
        }
    }

    private static int length(Shape shape, int axis) {
        return Math.toIntExact(shape.get(axis));
    }

    private static long position(long line, int i, int n, long stride) {
        return line / stride * n * stride + i * stride + line % stride;
    }
}
