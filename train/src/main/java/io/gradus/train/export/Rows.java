package io.gradus.train.export;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Shape;
import io.gradus.core.safetensors.Entry;
import io.gradus.core.safetensors.FileRange;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A matrix that is read row by row, so that none is in memory as a whole. A vector is one row.
 *
 * @param shape {@code [n]} or {@code [rows, columns]}
 * @param reader fills an array of {@code columns} elements
 */
record Rows(Shape shape, Reader reader) {

    /** Reads one row. */
    @FunctionalInterface
    interface Reader {
        void read(long row, float[] target) throws IOException;
    }

    /** A tensor of a checkpoint, in F32. */
    static Rows of(SafetensorsCheckpoint checkpoint, String name) throws IOException {
        Entry entry = checkpoint.entry(name);
        FileRange bytes = checkpoint.bytes(name);
        DType dtype = DType.valueOf(entry.dtype());
        int columns = columns(entry.shape());
        MemorySegment raw = MemorySegment.ofArray(new byte[columns * dtype.bytes()]);
        return new Rows(entry.shape(), (row, target) -> {
            bytes.read(row * raw.byteSize(), raw);
            HostCast.convert(raw, dtype, MemorySegment.ofArray(target), DType.F32, columns);
            requireFinite(target, name, bytes, row);
        });
    }

    private static void requireFinite(float[] values, String name, FileRange bytes, long row) throws IOException {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new IOException(bytes.path() + ": tensor '" + name + "' has " + values[i] + " at row " + row
                        + ", column " + i + "; the model is damaged, so export a checkpoint from before it broke");
            }
        }
    }

    /** A vector in memory. */
    static Rows of(List<Float> values) {
        return new Rows(Shape.of(values.size()), (_, target) -> {
            for (int i = 0; i < target.length; i++) {
                target[i] = values.get(i);
            }
        });
    }

    private static int columns(Shape shape) {
        return Math.toIntExact(shape.last());
    }

    int columns() {
        return columns(shape);
    }

    /** The number of rows. */
    long count() {
        return shape.size() / columns();
    }

    /** With 1 added to all elements. */
    Rows plusOne() {
        return new Rows(shape, (row, target) -> {
            reader.read(row, target);
            for (int i = 0; i < target.length; i++) {
                target[i] += 1;
            }
        });
    }

    /** {@code [rows, columns] → [columns, rows]}. The whole matrix is in memory from the first row to the last. */
    Rows transposed() {
        return new Rows(Shape.of(columns(), count()), new Transposed(this));
    }

    private static final class Transposed implements Reader {
        private final Rows source;
        private float[][] whole = new float[0][];

        Transposed(Rows source) {
            this.source = source;
        }

        @Override
        public void read(long row, float[] target) throws IOException {
            if (whole.length == 0) {
                float[][] rows = new float[target.length][source.columns()];
                for (int i = 0; i < rows.length; i++) {
                    source.reader.read(i, rows[i]);
                }
                whole = rows;
            }
            for (int i = 0; i < target.length; i++) {
                target[i] = whole[i][(int) row];
            }
            if (row == source.columns() - 1) {
                whole = new float[0][];
            }
        }
    }

    /**
     * Queries or keys for rotary positions of neighboring elements instead of those that are half a head apart: row {@code 2i + p}
     * of a head is row {@code i + p·head_dim/2}, with p = 0 or 1. Of a vector, the elements are moved.
     *
     * @param heads into which the rows are divided
     */
    Rows interleaved(int heads) {
        if (shape.rank() == 1) {
            return new Rows(shape, (_, target) -> {
                float[] before = new float[target.length];
                reader.read(0, before);
                int headDim = target.length / heads;
                for (int i = 0; i < target.length; i++) {
                    target[i] = before[(int) halfSplit(i, headDim)];
                }
            });
        }
        long headDim = count() / heads;
        return new Rows(shape, (row, target) -> reader.read(halfSplit(row, headDim), target));
    }

    private static long halfSplit(long row, long headDim) {
        long head = row / headDim;
        long within = row % headDim;
        return head * headDim + within / 2 + within % 2 * (headDim / 2);
    }
}
