package io.gradus.core.cpu.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * The inner loop of a product of BF16 matrices with {@code vdpbf16ps} (AVX512-BF16): a tile of six rows and four vectors of
 * columns, in registers over all k. A lane of a vector is a pair of BF16, two elements along k, and each instruction adds the two
 * products of such pairs to a sum in F32: twice the multiply-adds of an instruction for floats.
 *
 * <pre>
 *              a step of B: 64 columns
 *              zmm24   zmm25   zmm26   zmm27
 *   a step   ┌───────────────────────────────┐
 *   of A:    │ zmm0    zmm1    zmm2    zmm3  │ row 0
 *   zmm28 or │ zmm4    zmm5    zmm6    zmm7  │ row 1     RDI  the next step of A
 *   zmm29,   │ zmm8    zmm9    zmm10   zmm11 │ row 2     RSI  the next step of B
 *   one row  │ zmm12   zmm13   zmm14   zmm15 │ row 3     RDX  C
 *   in all   │ zmm16   zmm17   zmm18   zmm19 │ row 4     RCX  steps left
 *   lanes    │ zmm20   zmm21   zmm22   zmm23 │ row 5
 *            └───────────────────────────────┘
 * </pre>
 *
 * <p>The instruction rounds each sum to the nearest float, even on a tie, and takes denormal numbers, in operands and in sums, as
 * zeros.
 */
public final class DotProductKernel {
    /** Rows of a tile. */
    public static final int ROWS = 6;
    /** Columns of a tile. */
    public static final int COLUMNS = 64;

    private static final int VECTOR = 64;
    private static final int PAIR = 4;
    private static final int ROW_OF_B = COLUMNS * PAIR;
    private static final int ROW_OF_C = COLUMNS * 4;

    private static final @Nullable MethodHandle FOUR_VECTORS = routine(4);
    private static final @Nullable MethodHandle TWO_VECTORS = routine(2);

    private DotProductKernel() {}

    /** Whether the system allowed the code. The processor must have been asked before. */
    static boolean isWritten() {
        return FOUR_VECTORS != null && TWO_VECTORS != null;
    }

    /**
     * {@code c = a·b} for one tile. Any of the operands may be an array.
     *
     * @param a {@code [steps][6]} pairs of BF16, the element of the smaller k in the lower half
     * @param b {@code [steps][64]} such pairs
     * @param c {@code [6][64]} floats
     * @param columns the number of columns needed; the rest of the tile is undefined afterwards
     * @throws IndexOutOfBoundsException when an operand is smaller
     */
    public static void multiply(MemorySegment a, MemorySegment b, MemorySegment c, int steps, int columns) {
        // Machine code checks nothing: these are the bounds of all that it reads and writes.
        MemorySegment tile = c.asSlice(0, (long) ROWS * ROW_OF_C);
        if (steps <= 0) {
            tile.fill((byte) 0);
            return;
        }
        MemorySegment left = a.asSlice(0, (long) steps * ROWS * PAIR);
        MemorySegment right = b.asSlice(0, (long) steps * ROW_OF_B);
        if (FOUR_VECTORS == null || TWO_VECTORS == null) {
            throw new IllegalStateException("vdpbf16ps is not available; see MachineCode");
        }
        try {
            if (columns > COLUMNS / 2) {
                FOUR_VECTORS.invokeExact(left, right, tile, (long) steps);
            } else {
                TWO_VECTORS.invokeExact(left, right, tile, (long) steps);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("machine code could not be called", e);
        }
    }

    private static @Nullable MethodHandle routine(int vectors) {
        return CodePage.routine(
                code(vectors),
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG),
                Linker.Option.critical(true)); // it takes microseconds, and the operands may be arrays
    }

    /** The kernel for the first two or all four vectors of columns. */
    static Assembler code(int vectors) {
        Assembler code = new Assembler();
        for (int sum = 0; sum < ROWS * vectors; sum++) {
            code.vpxord(sum, sum, sum);
        }
        int loop = code.here();
        int columns = ROWS * 4;
        for (int j = 0; j < vectors; j++) {
            code.vmovups(columns + j, Address.of(Register.RSI, j * VECTOR));
        }
        for (int i = 0; i < ROWS; i++) {
            int row = columns + 4 + i % 2;
            code.vbroadcastss(row, Address.of(Register.RDI, i * PAIR));
            for (int j = 0; j < vectors; j++) {
                code.vdpbf16ps(i * vectors + j, row, columns + j);
            }
        }
        code.add(Register.RDI, ROWS * PAIR);
        code.add(Register.RSI, ROW_OF_B);
        code.decrement(Register.RCX);
        code.jumpIfNotZero(loop);
        for (int i = 0; i < ROWS; i++) {
            for (int j = 0; j < vectors; j++) {
                code.vmovups(Address.of(Register.RDX, i * ROW_OF_C + j * VECTOR), i * vectors + j);
            }
        }
        code.vzeroupper();
        code.ret();
        return code;
    }
}
