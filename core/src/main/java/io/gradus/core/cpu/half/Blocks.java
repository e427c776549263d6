package io.gradus.core.cpu.half;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.cpu.common.Workers;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Loops over blocks of rows. A kernel of F32 sees a block of each operand: the operand's own memory if it is F32 or integers, and
 * otherwise converted elements, which are rounded to the operand's dtype when the kernel has written them.
 *
 * <p>The blocks depend only on sizes, so that results do not depend on the number of threads.
 */
final class Blocks {
    /** Elements of an operand in a block; those of all operands fit in the second-level cache. */
    static final long ELEMENTS = 1 << 13;

    private final Workers workers;

    Blocks(Workers workers) {
        this.workers = workers;
    }

    /** Whether an operand is a 16-bit float. */
    static boolean anyHalf(@Nullable Tensor... tensors) {
        for (Tensor tensor : tensors) {
            if (tensor != null && tensor.dtype().isHalf()) {
                return true;
            }
        }
        return false;
    }

    /**
     * An operand of a loop.
     *
     * @param read whether the kernel reads it
     * @param written whether the kernel writes to it
     */
    record Operand(Tensor tensor, boolean read, boolean written) {

        static Operand in(Tensor tensor) {
            return new Operand(tensor, true, false);
        }

        static Operand out(Tensor tensor) {
            return new Operand(tensor, false, true);
        }

        /** A result that the kernel adds to if {@code accumulate}. */
        static Operand out(Tensor tensor, boolean accumulate) {
            return new Operand(tensor, accumulate, true);
        }
    }

    /** Computes a block. */
    @FunctionalInterface
    interface Body {
        /**
         * Runs a kernel.
         *
         * @param from the first row
         * @param blocks of each operand {@code [rows of the block, elements of a row]}
         */
        void run(long from, List<Tensor> blocks);
    }

    /** Runs the body over all blocks of tensors that have {@code rows} rows. */
    void forEach(long rows, Body body, Operand... operands) {
        forEach(rows, inBlock(rows, operands), body, operands);
    }

    /** The same, where each thread gets {@code grain} rows at a time. */
    void forEach(long rows, long grain, Body body, Operand... operands) {
        long most = inBlock(rows, operands);
        workers.forEach(rows, grain, (from, to) -> {
            for (long first = from; first < to; first += most) {
                run(rows, first, Math.min(to, first + most), body, operands);
            }
        });
    }

    /** The number of rows in a block. */
    static long inBlock(long rows, Operand... operands) {
        long widest = 1;
        for (Operand operand : operands) {
            widest = Math.max(widest, operand.tensor.size() / Math.max(1, rows));
        }
        return Math.max(1, ELEMENTS / widest);
    }

    private static void run(long rows, long from, long to, Body body, Operand... operands) {
        WideMemory memory = WideMemory.ofThread();
        Tensor[] stored = new Tensor[operands.length];
        Tensor[] blocks = new Tensor[operands.length];
        for (int i = 0; i < operands.length; i++) {
            Tensor tensor = operands[i].tensor;
            stored[i] = tensor.reshape(Shape.of(rows, tensor.size() / rows)).slice(from, to);
            blocks[i] = stored[i];
            if (tensor.dtype().isHalf()) {
                blocks[i] = memory.tensor(i, tensor.device(), stored[i].shape());
                if (operands[i].read) {
                    load(stored[i], blocks[i]);
                }
            }
        }
        body.run(from, List.of(blocks));
        for (int i = 0; i < operands.length; i++) {
            if (operands[i].written && blocks[i] != stored[i]) {
                store(blocks[i], stored[i]);
            }
        }
    }

    // ---- whole operands ----

    /**
     * An operand that every block reads, such as the weight of a normalization, in F32.
     *
     * @param index which of the kernel's whole operands this is, 0 to 3
     */
    static Tensor whole(Tensor tensor, int index) {
        if (!tensor.dtype().isHalf()) {
            return tensor;
        }
        Tensor wide = WideMemory.ofThread().tensor(WideMemory.WHOLE + index, tensor.device(), tensor.shape());
        load(tensor, wide);
        return wide;
    }

    /**
     * Runs a kernel of F32 on the whole operands, for kernels that are rarely used.
     *
     * @param body receives the operands in F32
     */
    static void whole(Body body, Operand... operands) {
        Tensor[] wide = new Tensor[operands.length];
        for (int i = 0; i < operands.length; i++) {
            Tensor tensor = operands[i].tensor;
            wide[i] = tensor;
            if (tensor.dtype().isHalf()) {
                wide[i] = WideMemory.temporary(tensor.device(), tensor.shape());
                if (operands[i].read) {
                    load(tensor, wide[i]);
                }
            }
        }
        body.run(0, List.of(wide));
        for (int i = 0; i < operands.length; i++) {
            if (operands[i].written && wide[i] != operands[i].tensor) {
                store(wide[i], operands[i].tensor);
            }
        }
    }

    private static void load(Tensor stored, Tensor wide) {
        Conversion.load(stored, 0, wide, 0, stored.size());
    }

    private static void store(Tensor wide, Tensor stored) {
        Conversion.store(wide, 0, stored, 0, stored.size());
    }
}
