package io.gradus.core.cpu.common;

import io.gradus.core.Shape;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The loops of a reduction. Axes are either reduced or kept. The kind of the innermost axes decides the loop:
 *
 * <ul>
 *   <li>If they are reduced, each result is the reduction of contiguous runs.
 *   <li>If they are kept, a run of results is the elementwise reduction of rows.
 * </ul>
 *
 * @param innerGoes whether the innermost axes are reduced
 * @param run the number of elements in the innermost run
 * @param partCount the number of runs (or rows) per result (or run of results)
 * @param parts their offsets from the first
 * @param resultCount the number of results (or runs of results)
 * @param results the offset of the first part of each
 */
public record ReductionPlan(
        boolean innerGoes, long run, long partCount, StridedView parts, long resultCount, StridedView results) {

    /**
     * @param out the shape of the results, which broadcasts to {@code in}
     */
    public static ReductionPlan of(Shape in, Shape out) {
        long[] outStrides = out.broadcastStrides(in);
        int[] axes = IntStream.range(0, in.rank()).filter(i -> in.get(i) != 1).toArray();
        boolean innerGoes = axes.length == 0 || outStrides[axes[axes.length - 1]] == 0;
        int outer = axes.length;
        while (outer > 0 && (outStrides[axes[outer - 1]] == 0) == innerGoes) {
            outer--;
        }
        int[] inner = Arrays.copyOfRange(axes, outer, axes.length);
        int[] going =
                Arrays.stream(axes, 0, outer).filter(i -> outStrides[i] == 0).toArray();
        int[] staying =
                Arrays.stream(axes, 0, outer).filter(i -> outStrides[i] != 0).toArray();
        return new ReductionPlan(
                innerGoes, count(in, inner), count(in, going), view(in, going), count(in, staying), view(in, staying));
    }

    private static StridedView view(Shape shape, int[] axes) {
        long[] strides = shape.strides();
        return new StridedView(
                0,
                Arrays.stream(axes).mapToLong(shape::get).toArray(),
                Arrays.stream(axes).mapToLong(i -> strides[i]).toArray());
    }

    private static long count(Shape shape, int[] axes) {
        return Arrays.stream(axes).mapToLong(shape::get).reduce(1, (a, b) -> a * b);
    }
}
