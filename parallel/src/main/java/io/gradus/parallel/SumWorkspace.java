package io.gradus.parallel;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a sum of the shards of all ranks needs besides its operands: room for one piece of each rank's addend. */
final class SumWorkspace {
    /** The most bytes of one message. */
    static final long MESSAGE = 4 << 20;
    /** The most bytes of the messages of all ranks, unless there are very many. */
    private static final long ALL = 32 << 20;

    private static final long SHORTEST = 64 << 10;

    private final Device device;
    private final DType dtype;
    private final long length;
    /** One of each rank. */
    private final List<Tensor> addends = new ArrayList<>();
    /** For addends of 16 bits: a sum and an addend in F32, in which kernels compute. */
    private final @Nullable Tensor wideSum;

    private final @Nullable Tensor wideAddend;

    private SumWorkspace(Device device, DType dtype, int ranks, long length) {
        this.device = device;
        this.dtype = dtype;
        this.length = length;
        for (int rank = 0; rank < ranks; rank++) {
            addends.add(empty(dtype));
        }
        wideSum = dtype.isHalf() ? empty(DType.F32) : null;
        wideAddend = dtype.isHalf() ? empty(DType.F32) : null;
    }

    private Tensor empty(DType type) {
        return Scope.outside(() -> Tensor.empty(device, type, Shape.of(length), MemoryCategory.WORKSPACE));
    }

    /** The elements of a piece: the same on all ranks. */
    static long pieceLength(int ranks, DType dtype) {
        return Math.clamp(ALL / ranks, SHORTEST, MESSAGE) / dtype.bytes();
    }

    /** The workspace for shards of at most this length. */
    static SumWorkspace of(Device device, DType dtype, int ranks, long longest) {
        return new SumWorkspace(device, dtype, ranks, Math.min(longest, pieceLength(ranks, dtype)));
    }

    /** {@link #of} in place of an earlier one, which is freed; the earlier one itself if it will do. */
    static SumWorkspace replace(@Nullable SumWorkspace earlier, Device device, DType dtype, int ranks, long longest) {
        if (earlier != null && earlier.device.equals(device) && earlier.fits(device, dtype, longest)) {
            return earlier;
        }
        if (earlier != null) {
            earlier.release();
        }
        return of(device, dtype, ranks, longest);
    }

    /** Whether this is large enough for a shard of this length. */
    boolean fits(Device other, DType type, long longest) {
        return device.equals(other) && dtype == type && length >= Math.min(longest, pieceLength(addends.size(), type));
    }

    /** Room for a piece of the addend of a rank. */
    Tensor addend(int rank, long elements) {
        return addends.get(rank).slice(0, elements);
    }

    /** {@code sum = sum + addend}, rounded to the dtype of the two. */
    void add(Tensor addend, Tensor sum) {
        if (wideSum == null || wideAddend == null) {
            sum.kernels().elementwise().affine(addend, 1, 0, sum, true);
            return;
        }
        Tensor wide = wideSum.slice(0, sum.size());
        Tensor other = wideAddend.slice(0, sum.size());
        wide.copyFrom(sum);
        other.copyFrom(addend);
        wide.kernels().elementwise().affine(other, 1, 0, wide, true);
        sum.copyFrom(wide);
    }

    void release() {
        addends.forEach(Tensor::release);
        if (wideSum != null && wideAddend != null) {
            wideSum.release();
            wideAddend.release();
        }
    }
}
