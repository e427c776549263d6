package io.gradus.core.cpu.half;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.kernel.EmbeddingKernels;
import java.util.Arrays;

/**
 * Rows of a table. The kernels convert the rows that they gather themselves. Where a gradient has 16 bits, the rows with one id are
 * first summed in F32, in order, and their sum is added to the row of the table and rounded.
 */
record Embedding(EmbeddingKernels kernels, ElementwiseKernels elementwise, ElementwiseKernels ofBlock, Workers workers)
        implements EmbeddingKernels {
    /** Ids in a chunk of work. */
    private static final long GRAIN = 4;

    @Override
    public void gather(Tensor weight, Tensor ids, Tensor out) {
        kernels.gather(weight, ids, out);
    }

    @Override
    public void scatterAdd(Tensor ids, Tensor dy, Tensor dweight, boolean accumulate) {
        if (!Blocks.anyHalf(dy, dweight)) {
            kernels.scatterAdd(ids, dy, dweight, accumulate);
            return;
        }
        io.gradus.core.cpu.scalar.Embedding.checkIds(
                CpuStorage.of(ids), ids.size(), dweight.shape().get(0));
        if (!accumulate) {
            elementwise.fill(dweight, 0);
        }
        long[] places = byId(ids);
        int[] starts = starts(places);
        long width = dweight.shape().get(1);
        workers.forEach(starts.length - 1, GRAIN, (from, to) -> {
            WideMemory memory = WideMemory.ofThread();
            Tensor sum = memory.tensor(0, dy.device(), Shape.of(width));
            Tensor row = memory.tensor(1, dy.device(), Shape.of(width));
            for (int i = (int) from; i < to; i++) {
                for (int place = starts[i]; place < starts[i + 1]; place++) {
                    long token = places[place] & 0xFFFF_FFFFL;
                    Conversion.load(dy, token * width, row, 0, width);
                    ofBlock.affine(row, 1, 0, sum, place > starts[i]);
                }
                long id = places[starts[i]] >>> 32;
                Conversion.load(dweight, id * width, row, 0, width);
                ofBlock.affine(sum, 1, 0, row, true);
                Conversion.store(row, 0, dweight, id * width, width);
            }
        });
    }

    /** For each token its id, in the upper half, and its place, sorted. */
    private static long[] byId(Tensor ids) {
        long[] places = new long[Math.toIntExact(ids.size())];
        Arrays.setAll(places, i -> (long) CpuStorage.getInt(CpuStorage.of(ids), i) << 32 | i);
        Arrays.sort(places);
        return places;
    }

    /** The index of the first token of each id, and the number of tokens. */
    private static int[] starts(long[] places) {
        int[] starts = new int[places.length + 1];
        int count = 0;
        for (int i = 0; i < places.length; i++) {
            if (i == 0 || places[i] >>> 32 != places[i - 1] >>> 32) {
                starts[count++] = i;
            }
        }
        starts[count++] = places.length;
        return Arrays.copyOf(starts, count);
    }
}
