package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.HostCast;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The difference of one tensor, in two parts.
 *
 * <p>Δ = fl(θ − θ₀) can be scaled and added; it has the dtype of θ. Where θ and θ₀ are within a factor of two of each other,
 * it is exact (Sterbenz's lemma), and θ₀ + Δ is θ. Elsewhere it may be rounded, so that θ₀ + Δ differs from θ; where the
 * difference is not finite, Δ is 0. Such elements are found by adding, and listed with their bits in θ: the corrections.
 */
final class Difference {
    private static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Corrections are kept in memory if at most one element in this many has one. */
    private static final int KEPT = 64;

    private final MemorySegment base;
    private final DType baseDtype;
    private final MemorySegment tuned;
    private final DType dtype;
    private final long size;

    private final WeightSum sum = new WeightSum();
    private final float[] tunedValues = new float[WeightSum.RUN];
    private final float[] differences = new float[WeightSum.RUN];
    private final boolean[] expressible = new boolean[WeightSum.RUN];
    private final MemorySegment stored;
    private final MemorySegment again;

    /**
     * @param base the elements of θ₀
     * @param tuned the elements of θ, as many
     * @param size the number of elements
     */
    Difference(MemorySegment base, DType baseDtype, MemorySegment tuned, DType dtype, long size) {
        this.base = base;
        this.baseDtype = baseDtype;
        this.tuned = tuned;
        this.dtype = dtype;
        this.size = size;
        this.stored = MemorySegment.ofArray(new byte[WeightSum.RUN * dtype.bytes()]);
        this.again = MemorySegment.ofArray(new byte[WeightSum.RUN * dtype.bytes()]);
    }

    /**
     * The result of one pass over both tensors.
     *
     * @param at the indices of the corrections, unless there are too many to keep in memory
     */
    record Measured(Change change, long corrections, long inexpressible, int @Nullable [] at) {}

    Measured measure() {
        Change change = Change.NONE;
        long corrections = 0;
        long inexpressible = 0;
        int[] at = new int[0];
        for (long from = 0; from < size; from += WeightSum.RUN) {
            int n = run(from);
            change = change.plus(Change.between(sum.base(), tunedValues, n));
            for (int i = 0; i < n; i++) {
                if (bits(again, i) != bits(tuned, from + i)) {
                    if (corrections <= size / KEPT) {
                        at = corrections < at.length ? at : Arrays.copyOf(at, 16 + 2 * at.length);
                        at[(int) corrections] = (int) (from + i);
                    }
                    corrections++;
                    if (!expressible[i]) {
                        inexpressible++;
                    }
                }
            }
        }
        boolean kept = corrections <= size / KEPT + 1;
        return new Measured(change, corrections, inexpressible, kept ? Arrays.copyOf(at, (int) corrections) : null);
    }

    /** Δ, of the dtype of θ. */
    Tensor delta(Shape shape) {
        Tensor delta = Tensor.empty(Device.cpu(), dtype, shape, MemoryCategory.WORKSPACE);
        Tensor flat = delta.reshape(size);
        for (long from = 0; from < size; from += WeightSum.RUN) {
            int n = run(from);
            delta.backend().upload(stored.asSlice(0, (long) n * dtype.bytes()), flat.slice(from, from + n));
        }
        return delta;
    }

    /** The indices of the corrections, ascending; I32 read as unsigned. */
    Tensor correctedAt(Measured measured) {
        return corrections(MemorySegment.ofArray(indices(measured)), DType.I32);
    }

    /** The elements of θ at these indices. */
    Tensor correctedTo(Measured measured) {
        int width = dtype.bytes();
        int[] indices = indices(measured);
        MemorySegment to = MemorySegment.ofArray(new byte[Math.multiplyExact(indices.length, width)]);
        for (int i = 0; i < indices.length; i++) {
            MemorySegment.copy(tuned, Integer.toUnsignedLong(indices[i]) * width, to, (long) i * width, width);
        }
        return corrections(to, dtype);
    }

    private static Tensor corrections(MemorySegment elements, DType dtype) {
        Shape shape = Shape.of(elements.byteSize() / dtype.bytes());
        Tensor tensor = Tensor.empty(Device.cpu(), dtype, shape, MemoryCategory.WORKSPACE);
        tensor.backend().upload(elements, tensor);
        return tensor;
    }

    /** The kept indices, or those of another pass. */
    private int[] indices(Measured measured) {
        if (measured.at() != null) {
            return measured.at();
        }
        int[] indices = new int[Math.toIntExact(measured.corrections())];
        int count = 0;
        for (long from = 0; from < size; from += WeightSum.RUN) {
            int n = run(from);
            for (int i = 0; i < n; i++) {
                if (bits(again, i) != bits(tuned, from + i)) {
                    indices[count++] = (int) (from + i);
                }
            }
        }
        return indices;
    }

    /** Computes Δ of a run into {@code stored}, and θ₀ + Δ into {@code again}. */
    private int run(long from) {
        int n = (int) Math.min(WeightSum.RUN, size - from);
        sum.begin(base.asSlice(from * baseDtype.bytes()), baseDtype, n);
        WeightSum.read(tuned.asSlice(from * dtype.bytes()), dtype, tunedValues, n);
        float[] before = sum.base();
        for (int i = 0; i < n; i++) {
            differences[i] = tunedValues[i] - before[i];
        }
        write(n);
        WeightSum.read(stored, dtype, differences, n); // rounded to the dtype
        boolean all = true;
        for (int i = 0; i < n; i++) {
            expressible[i] = Float.isFinite(differences[i]);
            all &= expressible[i];
            differences[i] = expressible[i] ? differences[i] : 0;
        }
        if (!all) {
            write(n);
        }
        sum.add(stored, dtype, 1);
        sum.round(again, dtype);
        return n;
    }

    private void write(int n) {
        HostCast.convert(MemorySegment.ofArray(differences), DType.F32, stored, dtype, n);
    }

    private int bits(MemorySegment elements, long i) {
        return dtype.bytes() == 4 ? elements.get(I32, 4 * i) : elements.get(I16, 2 * i);
    }
}
