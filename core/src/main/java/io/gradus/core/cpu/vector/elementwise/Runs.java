package io.gradus.core.cpu.vector.elementwise;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.CpuStorage;
import io.gradus.core.cpu.common.Scratch;
import io.gradus.core.cpu.common.StridedView;
import io.gradus.core.cpu.common.Workers;
import io.gradus.core.cpu.vector.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Divides an elementwise result into pieces, such that loops see only whole vectors of contiguous elements. A piece ends where a
 * broadcast operand repeats; elements that do not fill a vector form a separate piece. Operands that are not contiguous, and
 * partial vectors, are copied to blocks of {@link Scratch} memory, in the first-level cache.
 */
final class Runs {
    /** Elements in a chunk: microseconds of work, and a multiple of every vector length. */
    private static final long GRAIN = 1 << 14;

    /** Floats in a block; a multiple of every vector length. */
    private static final int BLOCK = 1024;

    private Runs() {}

    private static MemorySegment block(int slot) {
        return Scratch.ofThread().memory(Scratch.ELEMENTWISE + slot, BLOCK);
    }

    /** A block that begins with {@code count} floats, copied from element {@code from}. */
    private static MemorySegment copy(int slot, MemorySegment source, long from, long count) {
        MemorySegment block = block(slot);
        MemorySegment.copy(source, from * 4, block, 0, count * 4);
        return block;
    }

    /** A block whose first {@code count} elements are one float (or int, as four bytes). */
    private static MemorySegment repeat(int slot, MemorySegment source, long at, int count) {
        MemorySegment block = block(slot);
        FloatVector value = Lanes.broadcast(CpuStorage.get(source, at));
        for (int i = 0; i < count; i += Lanes.COUNT) {
            Lanes.store(value, block, i);
        }
        return block;
    }

    /** An action on the {@code n} elements of a result starting at {@code at}. */
    @FunctionalInterface
    interface Piece {
        void run(long at, int n);
    }

    /** Runs the body over all pieces and writes the results. */
    static void forEach(Workers workers, long size, Operand[] operands, Result[] results, Piece body) {
        long length = Long.MAX_VALUE;
        boolean inBlocks = false;
        for (Operand operand : operands) {
            length = Math.min(length, operand.view.innerLength());
            inBlocks |= operand.standsStill();
        }
        for (Result result : results) {
            inBlocks |= result.accumulate;
        }
        long run = length;
        long longest = inBlocks ? BLOCK : GRAIN;
        workers.forEach(size, GRAIN, (from, to) -> {
            long at = from;
            while (at < to) {
                int n = (int) Math.min(Math.min(to - at, run - at % run), longest);
                n = n < Lanes.COUNT ? n : n - n % Lanes.COUNT;
                body.run(at, n);
                for (Result result : results) {
                    result.finish(at, n);
                }
                at += n;
            }
        });
    }

    /** The number of elements that a loop computes for a piece of n; those beyond its end are in a block and unused. */
    static int whole(int n) {
        return Math.max(n, Lanes.COUNT);
    }

    /**
     * An operand, broadcast to the shape of the result.
     *
     * @param slot the block for pieces that must be copied
     */
    record Operand(MemorySegment memory, StridedView view, int slot) {
        static Operand of(Tensor tensor, Shape shape, int slot) {
            return new Operand(CpuStorage.of(tensor), StridedView.broadcast(tensor.shape(), shape), slot);
        }

        private boolean standsStill() {
            return view.innerStride() == 0;
        }

        /** The memory of the elements of a piece, which start at {@link #at}. */
        MemorySegment memory(long at, int n) {
            if (standsStill()) {
                return repeat(slot, memory, view.source(at), n);
            }
            return n < Lanes.COUNT ? copy(slot, memory, view.source(at), n) : memory;
        }

        long at(long at, int n) {
            return standsStill() || n < Lanes.COUNT ? 0 : view.source(at);
        }
    }

    /**
     * A result.
     *
     * @param slot the block for pieces that must be copied
     */
    record Result(MemorySegment memory, boolean accumulate, int slot) {
        static Result of(Tensor tensor, boolean accumulate, int slot) {
            return new Result(CpuStorage.of(tensor), accumulate, slot);
        }

        /** The memory to which a loop writes the elements of a piece, which start at {@link #at}. */
        MemorySegment memory(int n) {
            return isDirect(n) ? memory : block(slot);
        }

        long at(long at, int n) {
            return isDirect(n) ? at : 0;
        }

        private boolean isDirect(int n) {
            return !accumulate && n >= Lanes.COUNT;
        }

        private void finish(long at, int n) {
            if (isDirect(n)) {
                return;
            }
            MemorySegment block = block(slot);
            if (n < Lanes.COUNT) {
                for (int i = 0; i < n; i++) {
                    float value = CpuStorage.get(block, i);
                    CpuStorage.set(memory, at + i, accumulate ? CpuStorage.get(memory, at + i) + value : value);
                }
            } else {
                add(block, memory, at, n);
            }
        }

        private static void add(MemorySegment block, MemorySegment memory, long at, int n) {
            for (int i = 0; i < n; i += Lanes.COUNT) {
                Lanes.store(Lanes.load(memory, at + i).add(Lanes.load(block, i)), memory, at + i);
            }
        }
    }
}
