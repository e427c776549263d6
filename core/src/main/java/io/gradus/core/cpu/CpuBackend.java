package io.gradus.core.cpu;

import io.gradus.core.Backend;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AttentionKernels;
import io.gradus.core.kernel.CastKernels;
import io.gradus.core.kernel.CrossEntropyKernels;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.kernel.EmbeddingKernels;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.core.kernel.MovementKernels;
import io.gradus.core.kernel.NormalizationKernels;
import io.gradus.core.kernel.OptimizerStepKernels;
import io.gradus.core.kernel.RandomKernels;
import io.gradus.core.kernel.ReductionKernels;
import io.gradus.core.kernel.RotaryKernels;
import io.gradus.core.kernel.SoftmaxKernels;
import java.lang.foreign.MemorySegment;

/** The CPU: memory outside the Java heap, kernels over a few threads. */
public final class CpuBackend implements Backend {
    private final MemoryLedger ledger = new MemoryLedger();
    private final CpuMemoryPool pool = new CpuMemoryPool(ledger);
    private final Workers workers;
    private final GemmKernels gemm;
    private final ElementwiseKernels elementwise;
    private final ReductionKernels reduction;
    private final SoftmaxKernels softmax;
    private final CrossEntropyKernels crossEntropy;
    private final NormalizationKernels normalization;
    private final RotaryKernels rotary;
    private final AttentionKernels attention;
    private final EmbeddingKernels embedding;
    private final MovementKernels movement;
    private final RandomKernels random;
    private final OptimizerStepKernels optimizerSteps;
    private final CastKernels cast;

    /**
     * @param threads how many threads compute, the caller's included; at least 1
     */
    public CpuBackend(int threads) {
        workers = new Workers(threads);
        gemm = VectorSupport.isUsable() ? new Gemm(workers) : new ScalarGemm(workers);
        elementwise = VectorSupport.isUsable() ? new Elementwise(workers) : new ScalarElementwise(workers);
        reduction = VectorSupport.isUsable() ? new Reduction(workers) : new ScalarReduction(workers);
        softmax = VectorSupport.isUsable() ? new Softmax(workers) : new ScalarSoftmax(workers);
        crossEntropy = VectorSupport.isUsable() ? new CrossEntropy(workers) : new ScalarCrossEntropy(workers);
        normalization = VectorSupport.isUsable() ? new Normalization(workers) : new ScalarNormalization(workers);
        rotary = VectorSupport.isUsable() ? new Rotary(workers) : new ScalarRotary(workers);
        attention = VectorSupport.isUsable() ? new Attention(workers) : new ScalarAttention(workers);
        embedding = VectorSupport.isUsable() ? new Embedding(workers) : new ScalarEmbedding(workers);
        movement = new Movement(workers);
        random = new Random(workers);
        optimizerSteps = VectorSupport.isUsable() ? new OptimizerSteps(workers) : new ScalarOptimizerSteps(workers);
        cast = VectorSupport.isUsable() ? new Cast(workers) : new ScalarCast(workers);
    }

    /**
     * The value of {@code -Dgradus.threads}, or the number of processors that the JVM may use.
     *
     * @throws IllegalArgumentException when the property is not a number of at least 1
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
            // told below, together with numbers that are too small
        }
        throw new IllegalArgumentException("-Dgradus.threads=" + property + " is not a number of at least 1");
    }

    @Override
    public String description() {
        return System.getProperty("os.arch") + ", " + workers.threads()
                + (workers.threads() == 1 ? " thread" : " threads")
                + (VectorSupport.isUsable() ? ", vectors of " + Lanes.COUNT * 32 + " bits" : ", scalar kernels");
    }

    @Override
    public Storage allocate(long bytes, MemoryCategory category) {
        return pool.allocate(bytes, category);
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
    public GemmKernels gemm() {
        return gemm;
    }

    @Override
    public ElementwiseKernels elementwise() {
        return elementwise;
    }

    @Override
    public ReductionKernels reduction() {
        return reduction;
    }

    @Override
    public SoftmaxKernels softmax() {
        return softmax;
    }

    @Override
    public CrossEntropyKernels crossEntropy() {
        return crossEntropy;
    }

    @Override
    public NormalizationKernels normalization() {
        return normalization;
    }

    @Override
    public RotaryKernels rotary() {
        return rotary;
    }

    @Override
    public AttentionKernels attention() {
        return attention;
    }

    @Override
    public EmbeddingKernels embedding() {
        return embedding;
    }

    @Override
    public MovementKernels movement() {
        return movement;
    }

    @Override
    public RandomKernels random() {
        return random;
    }

    @Override
    public OptimizerStepKernels optimizerSteps() {
        return optimizerSteps;
    }

    @Override
    public CastKernels cast() {
        return cast;
    }
}
