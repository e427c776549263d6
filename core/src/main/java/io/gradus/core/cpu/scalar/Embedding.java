package io.gradus.core.cpu.scalar;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.EmbeddingKernels;
import java.lang.foreign.MemorySegment;

/** Rows of a table, selected by id. All ids are checked before anything is written. */
public final class Embedding implements EmbeddingKernels {
    /** Columns in a chunk when rows are added: half a kilobyte of each row. */
    public static final int COLUMNS = 128;

    private final Workers workers;

    public Embedding(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void gather(Tensor weight, Tensor ids, Tensor out) {
        MemorySegment table = CpuStorage.of(weight);
        MemorySegment chosen = CpuStorage.of(ids);
        MemorySegment target = CpuStorage.of(out);
        checkIds(chosen, ids.size(), weight.shape().get(0));
        long width = weight.shape().get(1);
        DType dtype = weight.dtype();
        long bytes = width * dtype.bytes();
        long written = width * out.dtype().bytes();
        Chunks.rows(workers, ids.size(), width, (scratch, row) -> {
            long id = CpuStorage.getInt(chosen, row);
            MemorySegment stored = table.asSlice(id * bytes, bytes);
            HostCast.convert(stored, dtype, target.asSlice(row * written, written), out.dtype(), width);
        });
    }

    /** Each thread handles some columns of all rows, so that rows with equal ids are added in order and threads do not conflict. */
    @Override
    public void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate) {
        MemorySegment chosen = CpuStorage.of(ids);
        MemorySegment rows = CpuStorage.of(dy);
        MemorySegment table = CpuStorage.of(dweight);
        checkIds(chosen, ids.size(), dweight.shape().get(0));
        if (!accumulate) {
            dweight.kernels().elementwise().fill(dweight, 0);
        }
        long width = dweight.shape().get(1);
        workers.forEach(width, COLUMNS, (from, to) -> {
            Scratch scratch = Scratch.ofThread();
            int n = (int) (to - from);
            float[] gradient = scratch.floats(0, n);
            for (long row = 0; row < ids.size(); row++) {
                CpuStorage.load(rows, row * width + from, gradient, n);
                Chunks.write(scratch, gradient, table, CpuStorage.getInt(chosen, row) * width + from, n, true);
            }
        });
    }

    public static void checkIds(MemorySegment ids, long count, long rows) {
        long bad = Chunks.firstOutside(ids, count, rows);
        if (bad >= 0) {
            throw EmbeddingKernels.badId(CpuStorage.getInt(ids, bad), rows);
        }
    }
}
