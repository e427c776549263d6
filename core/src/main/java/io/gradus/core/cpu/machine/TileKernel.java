package io.gradus.core.cpu.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * The inner loop of a product of BF16 matrices with {@code tdpbf16ps} (AMX). A tile register holds 16 rows of 64 bytes. One
 * instruction multiplies a tile of A, 16 rows of 16 pairs of elements along k, by a tile of B, 16 such pairs of rows by 16 columns, and
 * adds the products to a tile of C, 16 × 16 floats: 8,192 multiply-adds. Four tiles of C are held over all k, so that four loads
 * serve four instructions.
 *
 * <pre>
 *                          16 steps of B: 32 columns
 *                         tmm6            tmm7
 *                      ┌───────────────────────────────┐       RDI, R10  the next steps of A, rows 0 and 16
 *   16 steps   tmm4    │ tmm0            tmm1          │ rows 0 to 15    R8   bytes of a row of A
 *   of A       tmm5    │ tmm2            tmm3          │ rows 16 to 31   RSI  the next steps of B
 *                      └───────────────────────────────┘       RDX  C        RAX  bytes of a row of B and C
 *                                                              RCX  16 steps, times left   R9  the sizes of tiles
 * </pre>
 *
 * <p>The sizes of tiles are set at the beginning and forgotten at the end, so that Java never runs with tiles in use, which the system
 * would have to save. The instruction rounds sums to the nearest float, and takes denormal numbers as zeros.
 */
public final class TileKernel {
    /** Rows of a block of four tiles. */
    public static final int ROWS = 32;
    /** Columns of a panel of B and of C: two blocks of tiles. */
    public static final int COLUMNS = 64;
    /** Steps are a multiple of this. */
    public static final int STEPS = 16;

    private static final int SIDE = 16;
    private static final int TILE = 64;
    private static final int ROW = COLUMNS * 4;
    private static final int BLOCK = COLUMNS / 2;

    private static final @Nullable MethodHandle ROUTINE = CodePage.routine(
            code(),
            FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS),
            Linker.Option.critical(true));
    private static final MemorySegment SIZES = sizes();

    private TileKernel() {}

    /** All tiles: 16 rows of 64 bytes. */
    private static MemorySegment sizes() {
        MemorySegment sizes = Arena.global().allocate(64, 64);
        sizes.set(JAVA_BYTE, 0, (byte) 1); // the only format there is
        for (int tile = 0; tile < 8; tile++) {
            sizes.set(JAVA_SHORT, 16 + 2L * tile, (short) TILE);
            sizes.set(JAVA_BYTE, 48 + tile, (byte) SIDE);
        }
        return sizes;
    }

    /**
     * {@code c = a·b} for one panel of each. Any of the operands may be an array.
     *
     * @param a {@code [32][steps]} pairs of BF16, the element of the smaller k in the lower half
     * @param b {@code [steps][64]} such pairs
     * @param c {@code [32][64]} floats
     * @param steps a multiple of 16
     * @param columns the number of columns needed; the rest of the tile is undefined afterwards
     * @throws IndexOutOfBoundsException when an operand is smaller
     */
    public static void multiply(MemorySegment a, MemorySegment b, MemorySegment c, int steps, int columns) {
        // Machine code checks nothing: these are the bounds of all that it reads and writes.
        MemorySegment tile = c.asSlice(0, (long) ROWS * ROW);
        if (steps <= 0) {
            tile.fill((byte) 0);
            return;
        }
        if (steps % STEPS != 0) {
            throw new IllegalArgumentException(steps + " steps are not a multiple of " + STEPS);
        }
        MemorySegment left = a.asSlice(0, (long) ROWS * steps * 4);
        MemorySegment right = b.asSlice(0, (long) steps * ROW);
        if (ROUTINE == null) {
            throw new IllegalStateException("tdpbf16ps is not available; see MachineCode");
        }
        try {
            for (long column = 0; column < Math.min(columns, COLUMNS); column += BLOCK) {
                ROUTINE.invokeExact(
                        left,
                        right.asSlice(column * 4),
                        tile.asSlice(column * 4),
                        (long) (steps / STEPS),
                        steps * 4L,
                        SIZES);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("machine code could not be called", e);
        }
    }

    /** Whether the code is there and gives the right product of small integers, all of whose sums are exact. */
    static boolean works() {
        if (ROUTINE == null) {
            return false;
        }
        int steps = 3 * STEPS;
        int[] a = new int[ROWS * steps];
        int[] b = new int[steps * COLUMNS];
        for (int i = 0; i < a.length; i++) {
            a[i] = pair(i % 7 - 3, i % 5 - 2);
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = pair(i % 11 - 5, i % 3 - 1);
        }
        float[] c = new float[ROWS * COLUMNS];
        multiply(MemorySegment.ofArray(a), MemorySegment.ofArray(b), MemorySegment.ofArray(c), steps, COLUMNS);
        for (int i = 0; i < c.length; i++) {
            float sum = 0;
            for (int k = 0; k < steps; k++) {
                int left = a[i / COLUMNS * steps + k];
                int right = b[k * COLUMNS + i % COLUMNS];
                sum += Float.intBitsToFloat(left << 16) * Float.intBitsToFloat(right << 16);
                sum += Float.intBitsToFloat(left >> 16 << 16) * Float.intBitsToFloat(right >> 16 << 16);
            }
            if (c[i] != sum) {
                return false;
            }
        }
        return true;
    }

    private static int pair(int lower, int upper) {
        return Float.floatToRawIntBits(lower) >>> 16 | Float.floatToRawIntBits(upper) & 0xFFFF_0000;
    }

    /** The kernel for two tiles of rows and two of columns. */
    static Assembler code() {
        Assembler code = new Assembler();
        code.ldtilecfg(Address.of(Register.R9));
        code.move(Register.RAX, ROW);
        code.move(Register.R10, Register.R8);
        code.shiftLeft(Register.R10, 4);
        code.add(Register.R10, Register.RDI);
        for (int sum = 0; sum < 4; sum++) {
            code.tilezero(sum);
        }
        int loop = code.here();
        code.tileloadd(4, Address.rows(Register.RDI, Register.R8, 0));
        code.tileloadd(6, Address.rows(Register.RSI, Register.RAX, 0));
        code.tileloadd(7, Address.rows(Register.RSI, Register.RAX, TILE));
        code.tdpbf16ps(0, 4, 6);
        code.tileloadd(5, Address.rows(Register.R10, Register.R8, 0));
        code.tdpbf16ps(1, 4, 7);
        code.tdpbf16ps(2, 5, 6);
        code.tdpbf16ps(3, 5, 7);
        code.add(Register.RDI, TILE);
        code.add(Register.R10, TILE);
        code.add(Register.RSI, STEPS * ROW);
        code.decrement(Register.RCX);
        code.jumpIfNotZero(loop);
        code.tilestored(Address.rows(Register.RDX, Register.RAX, 0), 0);
        code.tilestored(Address.rows(Register.RDX, Register.RAX, TILE), 1);
        code.add(Register.RDX, SIDE * ROW);
        code.tilestored(Address.rows(Register.RDX, Register.RAX, 0), 2);
        code.tilestored(Address.rows(Register.RDX, Register.RAX, TILE), 3);
        code.tilerelease();
        code.ret();
        return code;
    }
}
