package io.gradus.core.cpu.vector.normalization;

import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * The gradients of a normalization, in two loops over each row. With {@code ŵ = dy ⊙ weight} and {@code x̂ = (x − mean)·rstd}
 * the first computes {@code Σ ŵ} and {@code Σ ŵ ⊙ x̂} and adds {@code dy ⊙ x̂} and {@code dy} to the column sums; the
 * second, while the row is in the first-level cache, writes {@code dx = rstd·(ŵ − mean(ŵ) − x̂·mean(ŵ ⊙ x̂))}.
 *
 * <p>Columns are summed in F32 over at most {@link #BLOCK_ROWS} rows, and the blocks' sums as a binary tree. The blocks depend
 * only on the number of rows.
 */
final class NormalizationGradients {
    private static final int COUNT = Lanes.COUNT;
    private static final long BLOCK_ROWS = 64;
    /** The minimum number of blocks, for parallelism, unless blocks would have few rows. */
    private static final long BLOCKS = 16;

    private static final long FEW_ROWS = 8;

    private final MemorySegment dy;
    private final MemorySegment x;
    private final MemorySegment weight;
    private final @Nullable MemorySegment mean;
    private final MemorySegment rstd;
    private final MemorySegment dx;
    private final boolean accumulate;
    private final int n;
    /** For each block, the sums of {@code dy ⊙ x̂} followed by those of {@code dy}; at the end the first block has the totals. */
    private float[] columns = new float[0];

    /**
     * @param mean null for a constant 0
     * @param accumulate whether to add to {@code dx}
     */
    NormalizationGradients(
            MemorySegment dy,
            MemorySegment x,
            MemorySegment weight,
            @Nullable MemorySegment mean,
            MemorySegment rstd,
            MemorySegment dx,
            boolean accumulate,
            long n) {
        this.dy = dy;
        this.x = x;
        this.weight = weight;
        this.mean = mean;
        this.rstd = rstd;
        this.dx = dx;
        this.accumulate = accumulate;
        this.n = Math.toIntExact(n);
    }

    void run(Workers workers, long rows) {
        long blockRows = Math.clamp((rows + BLOCKS - 1) / BLOCKS, FEW_ROWS, BLOCK_ROWS);
        int blocks = Math.toIntExact(Math.max(1, (rows + blockRows - 1) / blockRows));
        int size = Math.multiplyExact(2, n);
        columns = Scratch.ofThread().floats(0, Math.multiplyExact(blocks, size));
        if (rows == 0) {
            Arrays.fill(columns, 0, size, 0);
        }
        workers.forEach(rows, blockRows, (from, to) -> block(from, to, (int) (from / blockRows) * size));
        for (int step = 1; step < blocks; step *= 2) {
            for (int block = 0; block + step < blocks; block += 2 * step) {
                add(columns, block * size, (block + step) * size, size);
            }
        }
    }

    void writeWeight(MemorySegment dweight, boolean accumulate) {
        write(0, dweight, accumulate);
    }

    void writeBias(MemorySegment dbias, boolean accumulate) {
        write(n, dbias, accumulate);
    }

    private void write(int from, MemorySegment out, boolean accumulate) {
        if (accumulate) {
            for (int i = 0; i < n; i++) {
                columns[from + i] += CpuStorage.get(out, i);
            }
        }
        MemorySegment.copy(MemorySegment.ofArray(columns), from * 4L, out, 0, n * 4L);
    }

    private void block(long from, long to, int at) {
        Arrays.fill(columns, at, at + 2 * n, 0);
        float[] sums = Scratch.ofThread().floats(1, 2);
        for (long row = from; row < to; row++) {
            float center = mean == null ? 0 : CpuStorage.get(mean, row);
            float scale = CpuStorage.get(rstd, row);
            sums(dy, x, weight, center, scale, row * n, n, columns, at, sums);
            float meanGradient = mean == null ? 0 : sums[0] / n;
            float factor = -scale * (sums[1] / n);
            if (accumulate) {
                addGradient(dy, x, weight, center, scale, meanGradient, factor, dx, row * n, n);
            } else {
                gradient(dy, x, weight, center, scale, meanGradient, factor, dx, row * n, n);
            }
        }
    }

    /** The first loop: writes {@code Σ ŵ} and {@code Σ ŵ ⊙ x̂} to {@code sums}, and adds the row to the column sums. */
    private static void sums(
            MemorySegment dy,
            MemorySegment x,
            MemorySegment weight,
            float mean,
            float rstd,
            long begin,
            int n,
            float[] columns,
            int at,
            float[] sums) {
        FloatVector gradients = Lanes.zero();
        FloatVector products = Lanes.zero();
        int i = 0;
        for (; i <= n - COUNT; i += COUNT) {
            FloatVector outer = Lanes.load(dy, begin + i);
            FloatVector normalized = Lanes.load(x, begin + i).sub(mean).mul(rstd);
            Lanes.store(outer.fma(normalized, Lanes.load(columns, at + i)), columns, at + i);
            Lanes.store(outer.add(Lanes.load(columns, at + n + i)), columns, at + n + i);
            FloatVector gradient = outer.mul(Lanes.load(weight, i));
            gradients = gradients.add(gradient);
            products = gradient.fma(normalized, products);
        }
        float gradientSum = Lanes.sum(gradients);
        float productSum = Lanes.sum(products);
        for (; i < n; i++) {
            float outer = CpuStorage.get(dy, begin + i);
            float normalized = (CpuStorage.get(x, begin + i) - mean) * rstd;
            columns[at + i] = Math.fma(outer, normalized, columns[at + i]);
            columns[at + n + i] += outer;
            float gradient = outer * CpuStorage.get(weight, i);
            gradientSum += gradient;
            productSum = Math.fma(gradient, normalized, productSum);
        }
        sums[0] = gradientSum;
        sums[1] = productSum;
    }

    /** The second loop: {@code dx = rstd·(ŵ − meanGradient + (x − mean)·factor)}. */
    private static void gradient(
            MemorySegment dy,
            MemorySegment x,
            MemorySegment weight,
            float mean,
            float rstd,
            float meanGradient,
            float factor,
            MemorySegment dx,
            long begin,
            int n) {
        FloatVector factors = Lanes.broadcast(factor);
        FloatVector scale = Lanes.broadcast(rstd);
        FloatVector means = Lanes.broadcast(mean);
        FloatVector meanGradients = Lanes.broadcast(meanGradient);
        int i = 0;
        for (; i <= n - COUNT; i += COUNT) {
            FloatVector shifted =
                    Lanes.load(dy, begin + i).mul(Lanes.load(weight, i)).sub(meanGradients);
            FloatVector gradient = Lanes.load(x, begin + i).sub(means).fma(factors, shifted);
            Lanes.store(gradient.mul(scale), dx, begin + i);
        }
        for (; i < n; i++) {
            float shifted = CpuStorage.get(dy, begin + i) * CpuStorage.get(weight, i) - meanGradient;
            float gradient = Math.fma(CpuStorage.get(x, begin + i) - mean, factor, shifted);
            CpuStorage.set(dx, begin + i, gradient * rstd);
        }
    }

    /** The same, but adds to {@code dx}. */
    private static void addGradient(
            MemorySegment dy,
            MemorySegment x,
            MemorySegment weight,
            float mean,
            float rstd,
            float meanGradient,
            float factor,
            MemorySegment dx,
            long begin,
            int n) {
        FloatVector factors = Lanes.broadcast(factor);
        FloatVector scale = Lanes.broadcast(rstd);
        FloatVector means = Lanes.broadcast(mean);
        FloatVector meanGradients = Lanes.broadcast(meanGradient);
        int i = 0;
        for (; i <= n - COUNT; i += COUNT) {
            FloatVector shifted =
                    Lanes.load(dy, begin + i).mul(Lanes.load(weight, i)).sub(meanGradients);
            FloatVector gradient = Lanes.load(x, begin + i).sub(means).fma(factors, shifted);
            Lanes.store(gradient.fma(scale, Lanes.load(dx, begin + i)), dx, begin + i);
        }
        for (; i < n; i++) {
            float shifted = CpuStorage.get(dy, begin + i) * CpuStorage.get(weight, i) - meanGradient;
            float gradient = Math.fma(CpuStorage.get(x, begin + i) - mean, factor, shifted);
            CpuStorage.set(dx, begin + i, Math.fma(gradient, rstd, CpuStorage.get(dx, begin + i)));
        }
    }

    private static void add(float[] columns, int to, int from, int count) {
        int i = 0;
        for (; i <= count - COUNT; i += COUNT) {
            Lanes.store(Lanes.load(columns, to + i).add(Lanes.load(columns, from + i)), columns, to + i);
        }
        for (; i < count; i++) {
            columns[to + i] += columns[from + i];
        }
    }
}
