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
 *                          a block of B: 32 columns
 *                         tmm6            tmm7
 *                      ┌───────────────────────────────┐
 *   a block    tmm4    │ tmm0            tmm1          │ rows 0 to 15
 *   of A       tmm5    │ tmm2            tmm3          │ rows 16 to 31
 *                      └───────────────────────────────┘
 *   RDI  A               R12  its next block     R10  bytes of a row of a tile of A
 *   RSI  the next block of B                     RAX  bytes of a row of a block of B
 *   RDX  C, row 0        R11  row 16             R8   bytes from one row of C to the next
 *   RCX  blocks          RBX  blocks left        R9   the sizes of tiles, then panels of B left
 * </pre>
 *
 * <p>Blocks are those of {@link PackingKernel}. Split ones, a = h + r, take three products: with h of B in tmm6 and tmm7, r and then h
 * of A; then h of A with r of B. What is missing, rₐrᵦ, is below the last bit of a split number (Henry, Tang &amp; Heinecke 2019).
 *
 * <p>Panels do not fit in the first-level cache, so the kernel prefetches the next blocks while the tile unit multiplies. A prefetch
 * beyond the last block is harmless.
 *
 * <p>The sizes of tiles are set at the beginning and forgotten at the end, so that Java never runs with tiles in use, which the system
 * would have to save. The instruction rounds sums to the nearest float, and takes denormal numbers as zeros.
 */
public final class TileKernel {
    private static final int SIDE = 16;
    private static final int TILE = 1024;
    /** Bytes of a row of a tile. */
    private static final int ROW = 64;
    /** Bytes of a cache line. */
    private static final int LINE = 64;

    /** Rows and columns of the result. */
    private static final int LINES = PackingKernel.LINES;

    private static final FunctionDescriptor TYPE =
            FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);
    private static final @Nullable MethodHandle PRODUCT = routine(false, false);
    private static final @Nullable MethodHandle SUM = routine(false, true);
    private static final @Nullable MethodHandle SPLIT_PRODUCT = routine(true, false);
    private static final @Nullable MethodHandle SPLIT_SUM = routine(true, true);
    private static final MemorySegment SIZES = sizes();

    private TileKernel() {}

    private static @Nullable MethodHandle routine(boolean split, boolean add) {
        return CodePage.routine(code(split, add), TYPE, Linker.Option.critical(true)); // it takes microseconds
    }

    /** All tiles: 16 rows of 64 bytes. */
    private static MemorySegment sizes() {
        MemorySegment sizes = Arena.global().allocate(64, 64);
        sizes.set(JAVA_BYTE, 0, (byte) 1); // the only format there is
        for (int tile = 0; tile < 8; tile++) {
            sizes.set(JAVA_SHORT, 16 + 2L * tile, (short) ROW);
            sizes.set(JAVA_BYTE, 48 + tile, (byte) SIDE);
        }
        return sizes;
    }

    /**
     * {@code c (+)= a·b} for a panel of a and several of b. Any of the operands may be an array.
     *
     * @param a blocks of 32 rows, as {@link PackingKernel} packs them
     * @param b panels that follow one another, of blocks of 32 columns
     * @param panels the number of panels of b
     * @param blocks the number of blocks of a panel; with none, the product is zero
     * @param split whether blocks are split
     * @param c {@code [32, 32·panels]} floats
     * @param stride floats from one row of c to the next
     * @throws IndexOutOfBoundsException when the memory of an operand is too small, or rows of c overlap
     */
    public static void multiply(
            MemorySegment a,
            MemorySegment b,
            int panels,
            int blocks,
            boolean split,
            MemorySegment c,
            long stride,
            boolean add) {
        if (panels <= 0) {
            return;
        }
        // Machine code checks nothing: these are the bounds of all that it reads and writes.
        long width = (long) panels * LINES;
        CodePage.checkStride(stride, width);
        MemorySegment result = c.asSlice(0, ((LINES - 1) * stride + width) * 4);
        if (blocks <= 0) {
            for (int i = 0; i < LINES && !add; i++) {
                result.asSlice(i * stride * 4, width * 4).fill((byte) 0);
            }
            return;
        }
        long bytes = (long) blocks * PackingKernel.BLOCK * (split ? 2 : 1);
        MemorySegment left = a.asSlice(0, bytes);
        MemorySegment right = b.asSlice(0, Math.multiplyExact(panels, bytes));
        if (PRODUCT == null || SUM == null || SPLIT_PRODUCT == null || SPLIT_SUM == null) {
            throw new IllegalStateException("tdpbf16ps is not available; see MachineCode");
        }
        try {
            if (split) {
                if (add) {
                    SPLIT_SUM.invokeExact(left, right, result, (long) blocks, stride * 4, SIZES, (long) panels);
                } else {
                    SPLIT_PRODUCT.invokeExact(left, right, result, (long) blocks, stride * 4, SIZES, (long) panels);
                }
            } else if (add) {
                SUM.invokeExact(left, right, result, (long) blocks, stride * 4, SIZES, (long) panels);
            } else {
                PRODUCT.invokeExact(left, right, result, (long) blocks, stride * 4, SIZES, (long) panels);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("machine code could not be called", e);
        }
    }

    /** Whether the code is there and gives the right product of small integers, all of whose sums are exact. */
    static boolean works() {
        if (PRODUCT == null || SUM == null || SPLIT_PRODUCT == null || SPLIT_SUM == null) {
            return false;
        }
        int blocks = 3;
        int words = blocks * PackingKernel.BLOCK / 4;
        int[] a = new int[words];
        int[] b = new int[words];
        for (int i = 0; i < words; i++) {
            a[i] = pair(i % 7 - 3, i % 5 - 2);
            b[i] = pair(i % 11 - 5, i % 3 - 1);
        }
        float[] c = new float[LINES * LINES];
        MemorySegment result = MemorySegment.ofArray(c);
        multiply(MemorySegment.ofArray(a), MemorySegment.ofArray(b), 1, blocks, false, result, LINES, false);
        for (int i = 0; i < c.length; i++) {
            float sum = 0;
            for (int k = 0; k < blocks * SIDE; k++) {
                int left = a[k / SIDE * SIDE * LINES + i / LINES * SIDE + k % SIDE];
                int right = b[k * LINES + i % LINES];
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
    static Assembler code(boolean split, boolean add) {
        Assembler code = new Assembler();
        code.ldtilecfg(Address.of(Register.R9));
        code.move(Register.RAX, 2 * ROW);
        code.move(Register.R10, ROW);
        code.push(Register.RBX);
        code.push(Register.R12);
        code.move(Register.R9, Address.of(Register.RSP, 24)); // the seventh argument, above three words
        int panel = code.here();
        code.move(Register.R12, Register.RDI);
        code.move(Register.RBX, Register.RCX);
        code.move(Register.R11, Register.R8);
        code.shiftLeft(Register.R11, 4);
        code.add(Register.R11, Register.RDX);
        for (int sum = 0; sum < 4; sum++) {
            if (add) {
                code.tileloadd(sum, result(sum));
            } else {
                code.tilezero(sum);
            }
        }
        int loop = code.here();
        int rest = PackingKernel.BLOCK;
        Products products = new Products(code, split);
        code.tileloadd(6, Address.rows(Register.RSI, Register.RAX, 0));
        if (split) {
            products.ofRows(rest, true);
        }
        products.ofRows(0, !split);
        if (split) {
            code.tileloadd(6, Address.rows(Register.RSI, Register.RAX, rest));
            code.tileloadd(7, Address.rows(Register.RSI, Register.RAX, rest + ROW));
            products.add(0, 4, 6);
            products.add(2, 5, 6);
            products.add(1, 4, 7);
            products.add(3, 5, 7);
        }
        code.add(Register.R12, products.size);
        code.add(Register.RSI, products.size);
        code.decrement(Register.RBX);
        code.jumpIfNotZero(loop);
        for (int sum = 0; sum < 4; sum++) {
            code.tilestored(result(sum), sum);
        }
        code.add(Register.RDX, LINES * 4);
        code.decrement(Register.R9);
        code.jumpIfNotZero(panel);
        code.pop(Register.R12);
        code.pop(Register.RBX);
        code.tilerelease();
        code.ret();
        return code;
    }

    /** The products of a block. After each of them, some lines of the next blocks of A and B are prefetched. */
    private static final class Products {
        private final Assembler code;
        /** Bytes of a block. */
        private final int size;
        /** Bytes of each operand to prefetch after each of the 4 or 12 products. */
        private final int part;

        private int prefetched;

        Products(Assembler code, boolean split) {
            this.code = code;
            size = split ? 2 * PackingKernel.BLOCK : PackingKernel.BLOCK;
            part = Math.ceilDiv(size / LINE, split ? 12 : 4) * LINE;
        }

        /** Loads the tiles of A from an offset in its block, and those of B that are missing, and multiplies them. */
        void ofRows(int offset, boolean loadSecond) {
            code.tileloadd(4, Address.rows(Register.R12, Register.R10, offset));
            if (loadSecond) {
                code.tileloadd(7, Address.rows(Register.RSI, Register.RAX, ROW));
            }
            add(0, 4, 6);
            code.tileloadd(5, Address.rows(Register.R12, Register.R10, offset + TILE));
            add(1, 4, 7);
            add(2, 5, 6);
            add(3, 5, 7);
        }

        void add(int sum, int a, int b) {
            code.tdpbf16ps(sum, a, b);
            int end = Math.min(size, prefetched + part);
            for (; prefetched < end; prefetched += LINE) {
                code.prefetcht0(Address.of(Register.RSI, size + prefetched));
                code.prefetcht0(Address.of(Register.R12, size + prefetched));
            }
        }
    }

    private static Address result(int sum) {
        return Address.rows(sum < 2 ? Register.RDX : Register.R11, Register.R8, sum % 2 * ROW);
    }
}
