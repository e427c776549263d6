package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.HostCast;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.io.IOException;
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
 * difference overflows, Δ is 0. Such elements are found by adding, and listed with their bits in θ: the corrections.
 */
final class Difference {
    private static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Corrections are kept in memory if at most one element in this many has one. */
    private static final int KEPT = 64;

    private final StoredElements base;
    private final StoredElements tuned;
    private final DType dtype; // of θ
    private final long size;

    private final WeightSum sum = new WeightSum();
    private final float[] tunedValues = new float[WeightSum.RUN];
    private final float[] differences = new float[WeightSum.RUN];
    private final boolean[] expressible = new boolean[WeightSum.RUN];
    private final MemorySegment baseRun;
    private final MemorySegment tunedRun;
    private final MemorySegment stored;
    private final MemorySegment again;

    /**
     * @param base the elements of θ₀
     * @param tuned the elements of θ, as many
     */
    Difference(StoredElements base, StoredElements tuned) {
        this.base = base;
        this.tuned = tuned;
        this.dtype = tuned.dtype();
        this.size = tuned.shape().size();
        this.baseRun =
                MemorySegment.ofArray(new byte[WeightSum.RUN * base.dtype().bytes()]);
        this.tunedRun = MemorySegment.ofArray(new byte[WeightSum.RUN * dtype.bytes()]);
        this.stored = MemorySegment.ofArray(new byte[WeightSum.RUN * dtype.bytes()]);
        this.again = MemorySegment.ofArray(new byte[WeightSum.RUN * dtype.bytes()]);
    }

    /**
     * The result of one pass over both tensors.
     *
     * @param at the indices of the corrections, unless there are too many to keep in memory
     */
    record Measured(Change change, long corrections, long inexpressible, int @Nullable [] at) {}

    /** @throws IOException if an element of either tensor is NaN or infinite */
    Measured measure() throws IOException {
        Change change = Change.NONE;
        long corrections = 0;
        long inexpressible = 0;
        int[] at = new int[0];
        for (long from = 0; from < size; from += WeightSum.RUN) {
            int n = run(from);
            change = change.plus(Change.between(sum.base(), tunedValues, n));
            for (int i = 0; i < n; i++) {
                if (bits(again, i) != bits(tunedRun, i)) {
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
    Tensor delta(Shape shape) throws IOException {
        Tensor delta = Tensor.empty(Device.cpu(), dtype, shape, MemoryCategory.WORKSPACE);
        Tensor flat = delta.reshape(size);
        for (long from = 0; from < size; from += WeightSum.RUN) {
            int n = run(from);
            delta.backend().upload(stored.asSlice(0, (long) n * dtype.bytes()), flat.slice(from, from + n));
        }
        return delta;
    }

    /** The indices of the corrections, ascending; I32 read as unsigned. */
    Tensor correctedAt(Measured measured) throws IOException {
        return corrections(MemorySegment.ofArray(indices(measured)), DType.I32);
    }

    /** The elements of θ at these indices. */
    Tensor correctedTo(Measured measured) throws IOException {
        int width = dtype.bytes();
        int[] indices = indices(measured);
        MemorySegment to = MemorySegment.ofArray(new byte[Math.multiplyExact(indices.length, width)]);
        long begin = 0;
        long end = 0;
        for (int i = 0; i < indices.length; i++) {
            long index = Integer.toUnsignedLong(indices[i]);
            if (index >= end) {
                begin = index - index % WeightSum.RUN;
                end = begin + tuned.read(begin, tunedRun);
            }
            MemorySegment.copy(tunedRun, (index - begin) * width, to, (long) i * width, width);
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
    private int[] indices(Measured measured) throws IOException {
        if (measured.at() != null) {
            return measured.at();
        }
        int[] indices = new int[Math.toIntExact(measured.corrections())];
        int count = 0;
        for (long from = 0; from < size; from += WeightSum.RUN) {
            int n = run(from);
            for (int i = 0; i < n; i++) {
                if (bits(again, i) != bits(tunedRun, i)) {
                    indices[count++] = (int) (from + i);
                }
            }
        }
        return indices;
    }

    /** Computes Δ of a run into {@code stored}, and θ₀ + Δ into {@code again}. */
    private int run(long from) throws IOException {
        int n = base.read(from, baseRun);
        tuned.read(from, tunedRun);
        sum.begin(baseRun, base.dtype(), n);
        WeightSum.read(tunedRun, dtype, tunedValues, n);
        float[] before = sum.base();
        base.requireFinite(before, from, n);
        tuned.requireFinite(tunedValues, from, n);
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

    private int bits(MemorySegment elements, int i) {
        return dtype.bytes() == 4 ? elements.get(I32, 4L * i) : elements.get(I16, 2L * i);
    }
}
