package io.gradus.core.cpu.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Packs a matrix {@code [lines, k]} for {@link TileKernel}, and rounds it to BF16 on the way. A panel has 32 lines: rows of A or
 * columns of B. It consists of blocks of 32 elements along k, in words of two BF16 that are neighbors along k:
 *
 * <pre>
 *   a block of A, 2 kB: two tiles                    a block of B, 2 kB: two tiles side by side
 *   line 0    the words of k = 0, 2, …, 30           k = 0 and 1     the words of lines 0 to 15, and 16 to 31
 *   line 1                                           k = 2 and 3
 *   …                                                …
 *   line 31                                          k = 30 and 31
 * </pre>
 *
 * <p>16 vectors of words are made at a time, in zmm0 to zmm15. If k runs along the rows in memory, they are 16 lines, as A needs
 * them; if it runs across the rows, they are 16 pairs of rows, as B needs them. Otherwise these 16 × 16 words are transposed, by
 * exchanging first 32, then 64, then 128 and 256 bits:
 *
 * <pre>
 *   RDI  the elements      R11  the next row of elements        zmm0 to zmm15    words, and steps 2 and 4 of transposing
 *   RSI  bytes of a row    R10  bytes of two rows               zmm16 to zmm31   steps 1 and 3
 *   RDX  the words         R8   times left                      before these:    zmm26 to zmm29 and zmm31, elements;
 *   RCX  bytes from one time to the next                                         zmm30, from R9, the order of a pair of rows
 * </pre>
 *
 * <p>A block may be split: 2 kB of the rounded elements are followed by 2 kB of what rounding leaves, rounded. Rounding is to the
 * nearest BF16, even on a tie. Denormal numbers become zeros.
 *
 * <p>Packing 16 lines prefetches them, as {@link GemvKernel} does. A prefetch beyond the matrix is harmless.
 */
public final class PackingKernel {
    /** Lines of a panel. */
    public static final int LINES = 32;
    /** Elements along k in a block. */
    public static final int DEPTH = 32;
    /** Bytes of a block that is not split. */
    public static final int BLOCK = LINES * DEPTH * 2;

    private static final int SIDE = 16;
    private static final int TILE = SIDE * 64;
    /** The prefetch distance, in bytes. */
    private static final int AHEAD = 512;

    /**
     * What a routine does.
     *
     * @param across whether k runs across the rows in memory
     * @param right whether the panel is one of B
     * @param half whether elements are BF16 in memory, and not F32
     * @param split whether to split elements, which are F32 then
     */
    public record Form(boolean across, boolean right, boolean half, boolean split) {
        public Form {
            if (half && split) {
                throw new IllegalArgumentException("BF16 has nothing to split");
            }
        }

        private int number() {
            return (across ? 1 : 0) + (right ? 2 : 0) + (half ? 4 : 0) + (split ? 8 : 0);
        }

        private static Form of(int number) {
            return new Form((number & 1) != 0, (number & 2) != 0, (number & 4) != 0, (number & 8) != 0);
        }

        private int elementBytes() {
            return half ? 2 : 4;
        }

        /** Bytes from one vector of words to the next. */
        private int pitch() {
            return right ? 2 * SIDE * 4 : SIDE * 4;
        }

        /** Bytes from the words of the first 16 lines to those of the others. */
        private int other() {
            return right ? SIDE * 4 : TILE;
        }

        /** Bytes of a block. */
        public int block() {
            return split ? 2 * BLOCK : BLOCK;
        }
    }

    private static final int FORMS = 12;
    private static final MemorySegment[] ROUTINES = routines();
    private static final @Nullable MethodHandle CALL = call();
    private static final MemorySegment PAIRS = pairs();

    private PackingKernel() {}

    /** Whether the system allowed the code. */
    static boolean isWritten() {
        return ROUTINES.length > 0;
    }

    /**
     * Packs 16 lines along rows in memory.
     *
     * @param form not across
     * @param source the first row, of 32·blocks elements
     * @param stride bytes from one row to the next
     * @param target the first block of the panel
     * @param others whether these are the second 16 lines of the panel
     * @throws IndexOutOfBoundsException when the memory of an operand is too small, or a distance is out of range
     */
    public static void packLines(
            Form form, MemorySegment source, long stride, MemorySegment target, boolean others, int blocks) {
        if (blocks <= 0) {
            return;
        }
        CodePage.checkStride(stride, 0);
        MemorySegment from = source.asSlice(0, (SIDE - 1) * stride + (long) blocks * DEPTH * form.elementBytes());
        MemorySegment to = target.asSlice(0, (long) blocks * form.block()).asSlice(others ? form.other() : 0);
        call(form, from, stride, to, form.block(), blocks);
    }

    /**
     * Packs one block of panels that follow one another across 32 rows in memory.
     *
     * @param form across
     * @param source the first row, of 32·panels elements
     * @param stride bytes from one row to the next
     * @param target the block of the first panel
     * @param panelBytes bytes from one panel to the next
     * @throws IndexOutOfBoundsException when the memory of an operand is too small, or a distance is out of range
     */
    public static void packPanels(
            Form form, MemorySegment source, long stride, MemorySegment target, long panelBytes, int panels) {
        if (panels <= 0) {
            return;
        }
        CodePage.checkStride(stride, 0);
        CodePage.checkStride(panelBytes, form.block());
        MemorySegment from = source.asSlice(0, (DEPTH - 1) * stride + (long) panels * LINES * form.elementBytes());
        MemorySegment to = target.asSlice(0, (panels - 1) * panelBytes + form.block());
        call(form, from, stride, to, panelBytes, panels);
    }

    private static void call(Form form, MemorySegment from, long stride, MemorySegment to, long advance, long times) {
        if (CALL == null) {
            throw new IllegalStateException("vcvtne2ps2bf16 is not available; see MachineCode");
        }
        try {
            CALL.invokeExact(ROUTINES[form.number()], from, stride, to, advance, times, PAIRS);
        } catch (Throwable e) {
            throw new IllegalStateException("machine code could not be called", e);
        }
    }

    private static MemorySegment[] routines() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int[] places = new int[FORMS];
        for (int i = 0; i < FORMS; i++) {
            places[i] = all.size();
            all.writeBytes(code(Form.of(i)).bytes());
        }
        MemorySegment page = CodePage.write(all.toByteArray());
        return page == null
                ? new MemorySegment[0]
                : Arrays.stream(places).mapToObj(page::asSlice).toArray(MemorySegment[]::new);
    }

    @SuppressWarnings("restricted") // CodePage has asked before whether this is enabled
    private static @Nullable MethodHandle call() {
        FunctionDescriptor type = FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
        return isWritten() ? Linker.nativeLinker().downcallHandle(type, Linker.Option.critical(false)) : null;
    }

    /** For each half of a word, its place in a row of 16 BF16 and the next. */
    private static MemorySegment pairs() {
        MemorySegment places = Arena.global().allocate(64, 64);
        for (int i = 0; i < 2 * SIDE; i++) {
            places.setAtIndex(JAVA_SHORT, i, (short) (i % 2 * SIDE + i / 2));
        }
        return places;
    }

    // ---- code ----

    static Assembler code(Form form) {
        Assembler code = new Assembler();
        code.move(Register.R10, Register.RSI);
        code.shiftLeft(Register.R10, 1);
        int loop = code.here();
        if (!form.across) {
            prefetch(code, form);
        }
        int lines = SIDE * form.elementBytes();
        for (int half = 0; half < (form.across ? 2 : 1); half++) {
            for (int part = 0; part < (form.split ? 2 : 1); part++) {
                load(code, form, half * lines, part == 1);
                if (form.across != form.right) {
                    transpose(code);
                }
                for (int i = 0; i < SIDE; i++) {
                    int place = half * form.other() + part * BLOCK + i * form.pitch();
                    code.vmovups(Address.of(Register.RDX, place), i);
                }
            }
        }
        code.add(Register.RDI, form.across ? LINES * form.elementBytes() : DEPTH * form.elementBytes());
        code.add(Register.RDX, Register.RCX);
        code.decrement(Register.R8);
        code.jumpIfNotZero(loop);
        code.vzeroupper();
        code.ret();
        return code;
    }

    /** Prefetches 16 rows of elements, which are more streams than the hardware prefetcher follows. */
    private static void prefetch(Assembler code, Form form) {
        code.move(Register.R11, Register.RDI);
        for (int i = 0; i < SIDE; i++) {
            for (int line = 0; line < DEPTH * form.elementBytes(); line += 64) {
                code.prefetcht0(Address.of(Register.R11, AHEAD + line));
            }
            code.add(Register.R11, Register.RSI);
        }
    }

    /** Makes 16 vectors of words, from the elements at {@code RDI + offset}. */
    private static void load(Assembler code, Form form, int offset, boolean rest) {
        code.vmovups(30, Address.of(Register.R9));
        code.move(Register.R11, Register.RDI);
        for (int i = 0; i < SIDE; i++) {
            Address first = Address.of(Register.R11, offset);
            Address second = form.across
                    ? Address.rows(Register.R11, Register.RSI, offset)
                    : Address.of(Register.R11, offset + 64);
            if (form.half && !form.across) {
                code.vmovups(i, first);
            } else if (form.half) {
                code.vpmovzxwd(i, first);
                code.vpmovzxwd(31, second);
                code.vpslld(31, 31, 16);
                code.vpord(i, i, 31);
            } else if (rest) {
                code.vmovups(29, first);
                code.vmovups(31, second);
                subtractRounded(code);
                code.vcvtne2ps2bf16(i, 31, 29);
            } else {
                code.vmovups(31, second);
                code.vcvtne2ps2bf16(i, 31, first);
            }
            if (form.across && !form.half) {
                code.vpermw(i, 30, i);
            }
            code.add(Register.R11, form.across ? Register.R10 : Register.RSI);
        }
    }

    /** Subtracts from the floats of zmm29 and zmm31 their BF16, which zmm26 to zmm28 hold. */
    private static void subtractRounded(Assembler code) {
        code.vcvtne2ps2bf16(28, 31, 29);
        code.vpmovzxwd(27, 28);
        code.vextracti64x4(26, 28, 1);
        code.vpmovzxwd(26, 26);
        code.vpslld(27, 27, 16);
        code.vpslld(26, 26, 16);
        code.vsubps(29, 29, 27);
        code.vsubps(31, 31, 26);
    }

    /** Transposes 16 × 16 words in zmm0 to zmm15. */
    private static void transpose(Assembler code) {
        for (int i = 0; i < SIDE; i += 2) { // pairs of rows
            code.vpunpckldq(16 + i, i, i + 1);
            code.vpunpckhdq(17 + i, i, i + 1);
        }
        for (int i = 0; i < SIDE; i += 4) { // 128 bits of zmm(i + j): four rows of the columns j, 4 + j, 8 + j, 12 + j
            code.vpunpcklqdq(i, 16 + i, 18 + i);
            code.vpunpckhqdq(i + 1, 16 + i, 18 + i);
            code.vpunpcklqdq(i + 2, 17 + i, 19 + i);
            code.vpunpckhqdq(i + 3, 17 + i, 19 + i);
        }
        int even = 0b10_00_10_00;
        int odd = 0b11_01_11_01;
        for (int j = 0; j < 4; j++) { // eight rows of the columns j and 8 + j, and of 4 + j and 12 + j
            code.vshufi32x4(16 + j, j, 4 + j, even);
            code.vshufi32x4(20 + j, j, 4 + j, odd);
            code.vshufi32x4(24 + j, 8 + j, 12 + j, even);
            code.vshufi32x4(28 + j, 8 + j, 12 + j, odd);
        }
        for (int j = 0; j < 4; j++) {
            code.vshufi32x4(j, 16 + j, 24 + j, even);
            code.vshufi32x4(8 + j, 16 + j, 24 + j, odd);
            code.vshufi32x4(4 + j, 20 + j, 28 + j, even);
            code.vshufi32x4(12 + j, 20 + j, 28 + j, odd);
        }
    }
}
