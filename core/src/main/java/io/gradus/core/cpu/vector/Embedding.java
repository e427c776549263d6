package io.gradus.core.cpu.vector;

import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.EmbeddingKernels;
import java.lang.foreign.MemorySegment;

/**
 * Rows of a table, selected by id. The scalar {@link io.gradus.core.cpu.scalar.Embedding} gathers them at the speed of memory.
 */
public final class Embedding implements EmbeddingKernels {
    private final Workers workers;
    private final EmbeddingKernels scalar;

    public Embedding(Workers workers) {
        this.workers = workers;
        this.scalar = new io.gradus.core.cpu.scalar.Embedding(workers);
    }

    @Override
    public void gather(Tensor weight, Tensor ids, Tensor out) {
        scalar.gather(weight, ids, out);
    }

    /** Each thread handles some columns of all rows, so that rows with equal ids are added in order and threads do not conflict. */
    @Override
    public void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate) {
        MemorySegment chosen = CpuStorage.of(ids);
        MemorySegment rows = CpuStorage.of(dy);
        MemorySegment table = CpuStorage.of(dweight);
        io.gradus.core.cpu.scalar.Embedding.checkIds(
                chosen, ids.size(), dweight.shape().get(0));
        if (!accumulate) {
            dweight.kernels().elementwise().fill(dweight, 0);
        }
        long width = dweight.shape().get(1);
        long count = ids.size();
        workers.forEach(width, io.gradus.core.cpu.scalar.Embedding.COLUMNS, (from, to) -> {
            for (long row = 0; row < count; row++) {
                long id = CpuStorage.getInt(chosen, row);
                add(rows, row * width + from, table, id * width + from, to - from);
            }
        });
    }

    private static void add(MemorySegment source, long from, MemorySegment target, long to, long count) {
        long i = 0;
        for (; i <= count - Lanes.COUNT; i += Lanes.COUNT) {
            Lanes.store(Lanes.load(target, to + i).add(Lanes.load(source, from + i)), target, to + i);
        }
        for (; i < count; i++) {
            CpuStorage.set(target, to + i, CpuStorage.get(target, to + i) + CpuStorage.get(source, from + i));
        }
    }
}
