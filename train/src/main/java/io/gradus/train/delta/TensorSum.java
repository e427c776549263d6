package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.train.checkpoint.Sha256;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * One tensor of a {@link DeltaSum}.
 *
 * @param checkpoint the base
 * @param entry its tensor
 * @param addends the deltas to add
 * @param dtype of the result
 * @param exact whether the result must equal the tuned model's tensor: one delta with factor 1 on its own base
 */
record TensorSum(SafetensorsCheckpoint checkpoint, Entry entry, List<Addend> addends, DType dtype, boolean exact) {
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The tensor of one delta, with its factor. */
    record Addend(TensorDelta tensor, SafetensorsFile file, double factor) {
        StoredElements elements() throws IOException {
            return new StoredElements(file.bytes(tensor.name()), tensor.name(), tensor.dtype(), tensor.shape());
        }
    }

    /** @throws IOException if a number is NaN or infinite, if a weight overflows, or the result does not have the hash that the delta records */
    Tensor compute() throws IOException {
        StoredElements source = StoredElements.of(checkpoint, entry.name());
        DType baseDtype = source.dtype();
        long size = entry.shape().size();
        Tensor result = Tensor.empty(Device.cpu(), dtype, entry.shape(), MemoryCategory.WORKSPACE);
        Tensor flat = result.reshape(size);
        WeightSum sum = new WeightSum();
        Corrections corrections = new Corrections();
        Sha256 hash = new Sha256();
        MemorySegment rounded = MemorySegment.ofArray(new byte[WeightSum.RUN * dtype.bytes()]);
        MemorySegment elements = MemorySegment.ofArray(new byte[WeightSum.RUN * DType.F32.bytes()]);
        for (long from = 0; from < size; from += WeightSum.RUN) {
            int n = source.read(from, elements);
            MemorySegment run = rounded.asSlice(0, (long) n * dtype.bytes());
            sum.begin(elements, baseDtype, n);
            source.requireFinite(sum.base(), from, n);
            for (Addend addend : addends) {
                if (addend.tensor().isStored()) {
                    StoredElements delta = addend.elements();
                    delta.read(from, elements);
                    delta.requireFinite(sum.add(elements, delta.dtype(), addend.factor()), from, n);
                }
            }
            requireInRange(sum.round(run, dtype));
            corrections.apply(run, from, n);
            if (exact) {
                hash.add(run);
            }
            result.backend().upload(run, flat.slice(from, from + n));
        }
        requireHash(hash);
        return result.named(entry.name());
    }

    private void requireInRange(long overflown) throws IOException {
        if (overflown > 0 && !exact) {
            throw new IOException("tensor '" + entry.name() + "': " + overflown + " sums are too large for " + dtype
                    + "; take smaller factors");
        }
    }

    /** Verifies the result against the hash in the delta. */
    private void requireHash(Sha256 hash) throws IOException {
        if (exact) {
            Addend only = addends.getFirst();
            if (!hash.hex().equals(only.tensor().sha256())) {
                throw new IOException(
                        only.file().path() + ": tensor '" + only.tensor().name()
                                + "' does not give the tuned weights; the file is damaged, make it again with ./gradus"
                                + " delta diff");
            }
        }
    }

    /** Reads the list of corrections once, some at a time. */
    private final class Corrections {
        private final MemorySegment at = MemorySegment.ofArray(new byte[WeightSum.RUN * DType.I32.bytes()]);
        private final MemorySegment to = MemorySegment.ofArray(new byte[WeightSum.RUN * dtype.bytes()]);
        private final long count = exact ? addends.getFirst().tensor().corrections() : 0;
        private long next;

        void apply(MemorySegment run, long from, int n) throws IOException {
            int width = dtype.bytes();
            for (; next < count; next++) {
                int place = (int) (next % WeightSum.RUN);
                if (place == 0) {
                    read(TensorDelta.CORRECTED_AT, at, DType.I32.bytes());
                    read(TensorDelta.CORRECTED_TO, to, width);
                }
                long index = Integer.toUnsignedLong(at.get(I32, 4L * place)) - from;
                if (index >= n) {
                    return;
                }
                if (index < 0) {
                    throw new IOException(
                            addends.getFirst().file().path() + ": the corrections of tensor '" + entry.name()
                                    + "' are not in order; the file is damaged, make it again with ./gradus delta"
                                    + " diff");
                }
                MemorySegment.copy(to, (long) width * place, run, width * index, width);
            }
        }

        /** Reads the elements of a list that follow. */
        private void read(String what, MemorySegment target, int width) throws IOException {
            Addend only = addends.getFirst();
            long n = Math.min(WeightSum.RUN, count - next);
            only.file().bytes(only.tensor().name() + what).read(next * width, target.asSlice(0, n * width));
        }
    }
}
