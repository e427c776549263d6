package io.gradus.core.cpu;

import io.gradus.core.AttentionOptions;
import io.gradus.core.Backend;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.GradientBuffer;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import io.gradus.core.Storage;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AttentionKernels;
import io.gradus.core.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/** A CPU whose attention is computed with tensors of BF16: operands and results of F32 are converted. */
record HalfAttention(Backend cpu) implements Backend, AttentionKernels {
    /** With one thread, and with three. */
    static final List<Device> DEVICES = IntStream.of(1, 3)
            .mapToObj(threads -> new Device("cpu", 0, new HalfAttention(new CpuBackend(threads))))
            .toList();

    private static Tensor half(Tensor floats) {
        return floats.to(DType.BF16);
    }

    private static GradientBuffer half(GradientBuffer buffer) {
        return new GradientBuffer(half(buffer.gradient()), buffer.accumulate());
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, AttentionOptions options, Tensor out, Tensor logSumExp) {
        Tensor result = half(out);
        cpu.kernels().attention().forward(half(q), half(k), half(v), options, result, logSumExp);
        out.copyFrom(result);
    }

    @Override
    public void backward(
            Tensor q,
            Tensor k,
            Tensor v,
            AttentionOptions options,
            Tensor out,
            Tensor logSumExp,
            Tensor dout,
            GradientBuffer dq,
            GradientBuffer dk,
            GradientBuffer dv) {
        GradientBuffer toQueries = half(dq);
        GradientBuffer toKeys = half(dk);
        GradientBuffer toValues = half(dv);
        cpu.kernels()
                .attention()
                .backward(
                        half(q),
                        half(k),
                        half(v),
                        options,
                        half(out),
                        logSumExp,
                        half(dout),
                        toQueries,
                        toKeys,
                        toValues);
        dq.gradient().copyFrom(toQueries.gradient());
        dk.gradient().copyFrom(toKeys.gradient());
        dv.gradient().copyFrom(toValues.gradient());
    }

    @Override
    public Kernels kernels() {
        Kernels k = cpu.kernels();
        return new Kernels(
                k.gemm(),
                k.elementwise(),
                k.reduction(),
                k.softmax(),
                k.crossEntropy(),
                k.normalization(),
                k.rotary(),
                this,
                k.lstm(),
                k.embedding(),
                k.movement(),
                k.scan(),
                k.random(),
                k.optimizerSteps(),
                k.cast());
    }

    @Override
    public String description() {
        return cpu.description();
    }

    @Override
    public Storage allocate(long bytes, MemoryCategory category) {
        return cpu.allocate(bytes, category);
    }

    @Override
    public MemoryLedger memory() {
        return cpu.memory();
    }

    @Override
    public boolean computesIn(DType dtype) {
        return cpu.computesIn(dtype);
    }

    @Override
    public void upload(MemorySegment source, Tensor target) {
        cpu.upload(source, target);
    }

    @Override
    public void download(Tensor source, MemorySegment target) {
        cpu.download(source, target);
    }
}
