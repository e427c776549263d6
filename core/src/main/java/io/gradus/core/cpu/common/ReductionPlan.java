package io.gradus.core.cpu.common;

import io.gradus.core.Shape;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * How many elements become one. The axes fall into those that stay and those that go; the innermost run of axes of one kind
 * decides the loop:
 *
 * <ul>
 *   <li>it goes: a result is a fold of such runs;
 *   <li>it stays: the results of one run are a fold of rows.
 * </ul>
 *
 * @param innerGoes which of the two it is
 * @param run the elements of the innermost run
 * @param partCount how many runs (or rows) are folded into one result (or run of results)
 * @param parts where they begin, relative to the first
 * @param resultCount how many results (or runs of results) there are
 * @param results where the first part of each begins
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
