package io.gradus.bench.measure;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The peak speed of this machine with a number of threads, measured in the same run as the results that are compared with it.
 *
 * @param gigaFlops 10⁹ floating-point operations per second, from fused multiply-adds on registers
 * @param triadGigaBytes 10⁹ bytes per second of {@code a = b + s·c} in memory (the triad of McCalpin's STREAM), with 16 bytes per
 *     element, since a cache line of {@code a} is read before it is written
 * @param gigaBytes the memory bandwidth: the maximum of the triad, of reading only, and of scaling in place
 */
public record Peaks(double gigaFlops, double triadGigaBytes, double gigaBytes) {
    private static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;
    private static final int ACCUMULATORS = 12;
    private static final int TURNS = 200_000;
    /** Calls per repetition, so that the JIT compiles the method instead of replacing it on the stack during its first call. */
    private static final int CALLS = 64;

    /** Floats per array: larger than the caches. */
    private static final long LENGTH = 64L << 20;

    /** A peak is measured this often without disturbance, or, after the minimum, until the time is up. */
    private static final int QUIET_REPETITIONS = 8;

    private static final int FEWEST_REPETITIONS = 8;

    private static final double SECONDS = 4;

    /** Measures the peaks. Takes a few seconds and 768 MB. */
    public static Peaks measure(int threads) {
        try (ExecutorService pool = Executors.newFixedThreadPool(
                        threads, Thread.ofPlatform().daemon().name("peak-", 0).factory());
                Arena arena = Arena.ofShared()) {
            double flops = 2.0 * LANES.length() * ACCUMULATORS * TURNS * CALLS * threads;
            double gigaFlops = flops / best(pool, threads, _ -> multiplyAdd()) * 1e-9;
            MemorySegment a = arena.allocate(LENGTH * 4, 64);
            MemorySegment b = arena.allocate(LENGTH * 4, 64);
            MemorySegment c = arena.allocate(LENGTH * 4, 64);
            long part = LENGTH / threads / LANES.length() * LANES.length();
            double bytes = (double) part * threads * 4;
            double triad = 4 * bytes / best(pool, threads, i -> triad(a, b, c, i * part, (i + 1) * part)) * 1e-9;
            double read = bytes / best(pool, threads, i -> sink(sum(b, i * part, (i + 1) * part))) * 1e-9;
            double scale = 2 * bytes / best(pool, threads, i -> scale(c, i * part, (i + 1) * part)) * 1e-9;
            return new Peaks(gigaFlops, triad, Math.max(triad, Math.max(read, scale)));
        }
    }

    /** The peak in a unit. */
    public double of(Work.Unit unit) {
        return switch (unit) {
            case FLOP -> gigaFlops;
            case BYTE -> gigaBytes;
        };
    }

    /** The shortest time in seconds in which all threads finish their parts. The first repetitions include JIT compilation. */
    private static double best(ExecutorService pool, int threads, IntConsumer part) {
        double best = Double.MAX_VALUE;
        int quiet = 0;
        long begin = System.nanoTime();
        for (int repetition = 0;
                repetition < FEWEST_REPETITIONS
                        || (quiet < QUIET_REPETITIONS && (System.nanoTime() - begin) * 1e-9 < SECONDS);
                repetition++) {
            CpuLoad load = CpuLoad.start();
            List<Callable<Void>> parts = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int index = i;
                parts.add(() -> {
                    part.accept(index);
                    return null;
                });
            }
            long start = System.nanoTime();
            try {
                for (Future<Void> future : pool.invokeAll(parts)) {
                    future.get();
                }
            } catch (InterruptedException | ExecutionException e) {
                throw new IllegalStateException("the machine's peak could not be measured", e);
            }
            best = Math.min(best, (System.nanoTime() - start) * 1e-9);
            quiet += load.foreignShare() <= Contest.MAXIMUM_FOREIGN_SHARE ? 1 : 0;
        }
        return best;
    }

    /** Keeps the compiler from removing the computation of a number. */
    private static void sink(float number) {
        if (number == 0.123456789f) {
            throw new IllegalStateException("the machine's peak: " + number);
        }
    }

    private static void multiplyAdd() {
        for (int call = 0; call < CALLS; call++) {
            sink(multiplyAdd(TURNS));
        }
    }

    /** Twelve independent chains, so that no instruction waits: two units with a latency of four cycles need eight. */
    private static float multiplyAdd(int turns) {
        FloatVector x = FloatVector.broadcast(LANES, 0.999f);
        FloatVector y = FloatVector.broadcast(LANES, 1e-3f);
        FloatVector a0 = x;
        FloatVector a1 = y;
        FloatVector a2 = x.add(1);
        FloatVector a3 = x.add(2);
        FloatVector a4 = x.add(3);
        FloatVector a5 = x.add(4);
        FloatVector a6 = x.add(5);
        FloatVector a7 = x.add(6);
        FloatVector a8 = x.add(7);
        FloatVector a9 = x.add(8);
        FloatVector a10 = x.add(9);
        FloatVector a11 = x.add(10);
        for (int i = 0; i < turns; i++) {
            a0 = a0.fma(x, y);
            a1 = a1.fma(x, y);
            a2 = a2.fma(x, y);
            a3 = a3.fma(x, y);
            a4 = a4.fma(x, y);
            a5 = a5.fma(x, y);
            a6 = a6.fma(x, y);
            a7 = a7.fma(x, y);
            a8 = a8.fma(x, y);
            a9 = a9.fma(x, y);
            a10 = a10.fma(x, y);
            a11 = a11.fma(x, y);
        }
        FloatVector left = a0.add(a1).add(a2).add(a3).add(a4).add(a5);
        FloatVector right = a6.add(a7).add(a8).add(a9).add(a10).add(a11);
        return left.add(right).reduceLanes(VectorOperators.ADD);
    }

    private static FloatVector load(MemorySegment memory, long at) {
        return FloatVector.fromMemorySegment(LANES, memory, at * 4, ByteOrder.nativeOrder());
    }

    private static void store(FloatVector vector, MemorySegment memory, long at) {
        vector.intoMemorySegment(memory, at * 4, ByteOrder.nativeOrder());
    }

    private static void triad(MemorySegment a, MemorySegment b, MemorySegment c, long from, long to) {
        FloatVector scale = FloatVector.broadcast(LANES, 3);
        for (long i = from; i < to; i += LANES.length()) {
            store(load(c, i).fma(scale, load(b, i)), a, i);
        }
    }

    private static float sum(MemorySegment a, long from, long to) {
        FloatVector even = FloatVector.zero(LANES);
        FloatVector odd = FloatVector.zero(LANES);
        long last = to - LANES.length();
        for (long i = from; i < last; i += 2L * LANES.length()) {
            even = even.add(load(a, i));
            odd = odd.add(load(a, i + LANES.length()));
        }
        return even.add(odd).reduceLanes(VectorOperators.ADD);
    }

    private static void scale(MemorySegment a, long from, long to) {
        for (long i = from; i < to; i += LANES.length()) {
            store(load(a, i).mul(0.5f), a, i);
        }
    }
}
