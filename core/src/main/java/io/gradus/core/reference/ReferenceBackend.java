package io.gradus.core.reference;

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

/**
 * Every kernel as plain loops in double precision over {@link io.gradus.core.DType#F64} and
 * {@link io.gradus.core.DType#I32} tensors: what the other backends are compared with.
 */
public final class ReferenceBackend implements Backend {
    private final MemoryLedger ledger = new MemoryLedger();
    private final GemmKernels gemm = new Gemm();
    private final ElementwiseKernels elementwise = new Elementwise();
    private final ReductionKernels reduction = new Reduction();
    private final SoftmaxKernels softmax = new Softmax();
    private final CrossEntropyKernels crossEntropy = new CrossEntropy();
    private final NormalizationKernels normalization = new Normalization();
    private final RotaryKernels rotary = new Rotary();
    private final AttentionKernels attention = new Attention();
    private final EmbeddingKernels embedding = new Embedding();
    private final MovementKernels movement = new Movement();
    private final RandomKernels random = new Random();
    private final OptimizerStepKernels optimizerSteps = new OptimizerSteps();
    private final CastKernels cast = new Cast();

    @Override
    public String description() {
        return "reference, double precision, 1 thread, plain Java";
    }

    @Override
    public Storage allocate(long bytes, MemoryCategory category) {
        return new ReferenceStorage(bytes, category, ledger);
    }

    @Override
    public MemoryLedger memory() {
        return ledger;
    }

    @Override
    public void upload(MemorySegment source, Tensor target) {
        MemorySegment.copy(source, 0, Elements.of(target).memory(), 0, target.byteSize());
    }

    @Override
    public void download(Tensor source, MemorySegment target) {
        MemorySegment.copy(Elements.of(source).memory(), 0, target, 0, source.byteSize());
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
