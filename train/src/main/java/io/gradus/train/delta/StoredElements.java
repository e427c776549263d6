package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.FileRange;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * The elements of a tensor in a file, which are read run by run.
 *
 * @param bytes in the file
 * @param name of the tensor
 */
record StoredElements(FileRange bytes, String name, DType dtype, Shape shape) {

    static StoredElements of(SafetensorsCheckpoint checkpoint, String name) throws IOException {
        Entry entry = checkpoint.entry(name);
        return new StoredElements(checkpoint.bytes(name), name, Pairing.dtype(entry), entry.shape());
    }

    /** Reads the run that begins at an element into the beginning of {@code target}, and returns its number of elements. */
    int read(long from, MemorySegment target) throws IOException {
        int n = (int) Math.min(WeightSum.RUN, shape.size() - from);
        bytes.read(from * dtype.bytes(), target.asSlice(0, (long) n * dtype.bytes()));
        return n;
    }

    /** @throws IOException if one of the values of a run is NaN or infinite; names the file, the tensor and the element */
    void requireFinite(float[] values, long from, int n) throws IOException {
        for (int i = 0; i < n; i++) {
            if (!Float.isFinite(values[i])) {
                throw new IOException(bytes.path() + ": tensor '" + name + "' has " + values[i] + " at "
                        + shape.position(from + i) + "; a delta is made of finite numbers and added to them, so use a"
                        + " checkpoint of this model from before it broke");
            }
        }
    }
}
