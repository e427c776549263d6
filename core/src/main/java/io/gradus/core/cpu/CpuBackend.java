package io.gradus.core.cpu;

import io.gradus.core.Backend;
import io.gradus.core.DType;
import io.gradus.core.MatmulPrecision;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuMemoryPool;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.HostMemory;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.half.HalfKernels;
import io.gradus.core.cpu.machine.MachineCode;
import io.gradus.core.cpu.scalar.Movement;
import io.gradus.core.cpu.scalar.Random;
import io.gradus.core.cpu.scalar.ScalarKernels;
import io.gradus.core.cpu.scalar.Scan;
import io.gradus.core.cpu.vector.Cast;
import io.gradus.core.cpu.vector.Embedding;
import io.gradus.core.cpu.vector.Lanes;
import io.gradus.core.cpu.vector.Lstm;
import io.gradus.core.cpu.vector.OptimizerSteps;
import io.gradus.core.cpu.vector.Rotary;
import io.gradus.core.cpu.vector.VectorSupport;
import io.gradus.core.cpu.vector.attention.Attention;
import io.gradus.core.cpu.vector.elementwise.Elementwise;
import io.gradus.core.cpu.vector.gemm.Arithmetic;
import io.gradus.core.cpu.vector.gemm.Gemm;
import io.gradus.core.cpu.vector.normalization.Normalization;
import io.gradus.core.cpu.vector.reduction.Reduction;
import io.gradus.core.cpu.vector.softmax.CrossEntropy;
import io.gradus.core.cpu.vector.softmax.Softmax;
import io.gradus.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Optional;

/** The CPU: memory outside the Java heap, and multithreaded kernels. */
public final class CpuBackend implements Backend {
    private final MemoryLedger ledger;
    private final CpuMemoryPool pool;
    private final Workers workers;
    private final MatmulPrecision matmulPrecision;
    private final Kernels kernels;

    /**
     * @param threads the number of threads, including the caller's; at least 1
     */
    public CpuBackend(int threads) {
        ledger = new MemoryLedger();
        pool = new CpuMemoryPool(ledger);
        workers = new Workers(threads);
        matmulPrecision = MatmulPrecision.HIGHEST;
        kernels = VectorSupport.isUsable()
                ? vectorKernels(workers, Arithmetic.of(matmulPrecision))
                : HalfKernels.over(ScalarKernels.create(workers), ScalarKernels.create(new Workers(1)), workers);
    }

    /** The same memory and threads with other kernels. */
    private CpuBackend(CpuBackend shared, MatmulPrecision matmulPrecision, Kernels kernels) {
        this.ledger = shared.ledger;
        this.pool = shared.pool;
        this.workers = shared.workers;
        this.matmulPrecision = matmulPrecision;
        this.kernels = kernels;
    }

    private static Kernels vectorKernels(Workers workers, Arithmetic products) {
        return HalfKernels.over(floatKernels(workers, products), floatKernels(new Workers(1), products), workers);
    }

    private static Kernels floatKernels(Workers workers, Arithmetic products) {
        return new Kernels(
                new Gemm(workers, products),
                new Elementwise(workers),
                new Reduction(workers),
                new Softmax(workers),
                new CrossEntropy(workers),
                new Normalization(workers),
                new Rotary(workers),
                new Attention(workers, products),
                new Lstm(workers),
                new Embedding(workers),
                new Movement(workers),
                new Scan(workers),
                new Random(workers),
                new OptimizerSteps(workers),
                new Cast(workers));
    }

    /**
     * The value of {@code -Dgradus.threads}, or else the number of processors available to the JVM.
     *
     * @throws IllegalArgumentException if the property is not an integer of at least 1
     */
    public static int defaultThreads() {
        String property = System.getProperty("gradus.threads");
        if (property == null) {
            return Runtime.getRuntime().availableProcessors();
        }
        try {
            int threads = Integer.parseInt(property);
            if (threads >= 1) {
                return threads;
            }
        } catch (NumberFormatException e) {
            // reported below, like numbers that are too small
        }
        throw new IllegalArgumentException("-Dgradus.threads=" + property + " is not a number of at least 1");
    }

    /** The scalar kernels compute all products in F32. */
    @Override
    public Optional<Backend> withMatmulPrecision(MatmulPrecision precision) {
        Kernels others = VectorSupport.isUsable() ? vectorKernels(workers, Arithmetic.of(precision)) : kernels;
        return Optional.of(new CpuBackend(this, precision, others));
    }

    /** The same memory and threads, with products of these numbers. For tests, where the Vector API is usable. */
    CpuBackend with(Arithmetic products) {
        return new CpuBackend(this, matmulPrecision, vectorKernels(workers, products));
    }

    @Override
    public MatmulPrecision matmulPrecision() {
        return matmulPrecision;
    }

    @Override
    public String description() {
        return System.getProperty("os.arch") + ", " + workers.threads()
                + (workers.threads() == 1 ? " thread" : " threads")
                + (VectorSupport.isUsable()
                        ? ", vectors of " + Lanes.COUNT * 32 + " bits, " + MachineCode.description()
                        : ", scalar kernels")
                + products();
    }

    /** What becomes of a precision of products other than the default. */
    private String products() {
        if (matmulPrecision == MatmulPrecision.HIGHEST) {
            return "";
        }
        String precision = matmulPrecision.name().toLowerCase(Locale.ROOT);
        if (!VectorSupport.isUsable()) {
            return "; matmul_precision " + precision + ": products in F32, scalar kernels have no other";
        }
        if (matmulPrecision == MatmulPrecision.HIGH) {
            return "; matmul_precision high: products "
                    + (Arithmetic.hasTiles() ? "of sums of two BF16" : "in F32, faster here than sums of two BF16");
        }
        return "; matmul_precision medium: products in BF16"
                + (Arithmetic.hasPairs() || Arithmetic.hasTiles() ? "" : ", no faster without machine code");
    }

    @Override
    public boolean computesIn(DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    @Override
    public Storage allocate(long bytes, MemoryCategory category) {
        return pool.allocate(bytes, category);
    }

    @Override
    public void trim() {
        pool.trim();
    }

    CpuMemoryPool pool() {
        return pool;
    }

    @Override
    public MemoryLedger memory() {
        return ledger;
    }

    @Override
    public long capacity() {
        return HostMemory.forTensors();
    }

    @Override
    public void upload(MemorySegment source, Tensor target) {
        MemorySegment.copy(source, 0, CpuStorage.of(target), 0, target.byteSize());
    }

    @Override
    public void download(Tensor source, MemorySegment target) {
        MemorySegment.copy(CpuStorage.of(source), 0, target, 0, source.byteSize());
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }
}
