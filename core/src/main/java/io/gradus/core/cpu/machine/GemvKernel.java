package io.gradus.core.cpu.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Dot products of one row and the lines of a matrix, in F32 or BF16. Reading the matrix takes all the time, and it is faster if the
 * cache lines are requested before they are needed ({@code prefetcht0}), which the Vector API cannot do. Four lines at a time, far
 * apart, are four long streams. A step is 32 elements of each:
 *
 * <pre>
 *               zmm8       zmm9           elements of the row
 *             ┌─────────────────────┐
 *   RSI       │ zmm0       zmm1     │     RAX  the next step of the row
 *   RSI + R8  │ zmm2       zmm3     │     R10  steps left
 *   R11       │ zmm4       zmm5     │     R9   groups of four lines left
 *   R11 + R8  │ zmm6       zmm7     │     RDX  the results
 *             └─────────────────────┘
 * </pre>
 *
 * <p>A step of a line in F32 is two vectors. In BF16 it is one, of pairs: shifted to the left (zmm10) it has the elements at even
 * places as floats, and without the lower halves (zmm11) those at odd places.
 */
public final class GemvKernel {
    /** Elements of a line in a step. */
    public static final int STEP = 32;
    /** Lines at a time. */
    public static final int LINES = 4;
    /** Floats in the result of a line, which are to be added up. */
    public static final int LANES = 16;

    private static final int VECTOR = 64;
    /** How far ahead of the elements that it multiplies the loop requests cache lines, in bytes. */
    private static final int AHEAD = 1024;

    private static final @Nullable MethodHandle F32 = routine(false);
    private static final @Nullable MethodHandle BF16 = routine(true);

    private GemvKernel() {}

    /** Whether the system allowed the code. The processor must have been asked before. */
    static boolean isWritten() {
        return F32 != null && BF16 != null;
    }

    /**
     * The sums of each lane, {@code [groups][4][16]}. The lines of a group are {@code apart} bytes apart; those of the next group follow
     * each of them directly.
     *
     * @param half whether the matrix is BF16; each step of the row then has the elements of even places before those of odd places
     * @param row {@code [32·steps]} floats; may be an array, as may {@code sums}
     * @param matrix starts with the first line
     * @param steps the length of a line in steps, at least 1
     * @param groups at least 1
     * @throws IndexOutOfBoundsException when an operand is smaller
     */
    public static void dots(
            boolean half,
            MemorySegment row,
            MemorySegment matrix,
            MemorySegment sums,
            long steps,
            long apart,
            long groups) {
        if (steps < 1 || groups < 1) {
            throw new IndexOutOfBoundsException("there are " + steps + " steps and " + groups + " groups");
        }
        // Machine code checks nothing: these are the bounds of all that it reads and writes. (A prefetch accesses
        // nothing.)
        long line = Math.multiplyExact(steps, STEP * (half ? 2L : 4L));
        CodePage.checkStride(apart, 0);
        MemorySegment x = row.asSlice(0, Math.multiplyExact(steps, STEP * 4L));
        MemorySegment lines = matrix.asSlice(0, (LINES - 1) * apart + Math.multiplyExact(groups, line));
        MemorySegment results = sums.asSlice(0, Math.multiplyExact(groups, (long) LINES * VECTOR));
        MethodHandle routine = half ? BF16 : F32;
        if (routine == null) {
            throw new IllegalStateException("AVX-512 is not available; see MachineCode");
        }
        try {
            routine.invokeExact(x, lines, results, steps, apart, groups);
        } catch (Throwable e) {
            throw new IllegalStateException("machine code could not be called", e);
        }
    }

    private static @Nullable MethodHandle routine(boolean half) {
        return CodePage.routine(
                code(half),
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                Linker.Option.critical(true)); // it takes microseconds, and the operands may be arrays
    }

    static Assembler code(boolean half) {
        Assembler code = new Assembler();
        if (half) {
            code.move(Register.RAX, 0xFFFF_0000);
            code.vpbroadcastd(12, Register.RAX);
        }
        int group = code.here();
        code.move(Register.RAX, Register.RDI);
        code.move(Register.R10, Register.RCX);
        code.move(Register.R11, Register.R8);
        code.shiftLeft(Register.R11, 1);
        code.add(Register.R11, Register.RSI);
        for (int sum = 0; sum < 2 * LINES; sum++) {
            code.vpxord(sum, sum, sum);
        }
        int step = code.here();
        code.vmovups(8, Address.of(Register.RAX));
        code.vmovups(9, Address.of(Register.RAX, VECTOR));
        for (int line = 0; line < LINES; line++) {
            if (half) {
                multiplyPairs(code, line);
            } else {
                multiplyFloats(code, line);
            }
        }
        code.add(Register.RAX, 2 * VECTOR);
        code.add(Register.RSI, half ? VECTOR : 2 * VECTOR);
        code.add(Register.R11, half ? VECTOR : 2 * VECTOR);
        code.decrement(Register.R10);
        code.jumpIfNotZero(step);
        for (int line = 0; line < LINES; line++) {
            code.vaddps(2 * line, 2 * line, 2 * line + 1);
            code.vmovups(Address.of(Register.RDX, line * VECTOR), 2 * line);
        }
        code.add(Register.RDX, LINES * VECTOR);
        code.decrement(Register.R9);
        code.jumpIfNotZero(group);
        code.vzeroupper();
        code.ret();
        return code;
    }

    private static void multiplyFloats(Assembler code, int line) {
        code.prefetcht0(at(line, AHEAD));
        code.prefetcht0(at(line, AHEAD + VECTOR));
        code.vfmadd231ps(2 * line, 8, at(line, 0));
        code.vfmadd231ps(2 * line + 1, 9, at(line, VECTOR));
    }

    private static void multiplyPairs(Assembler code, int line) {
        code.prefetcht0(at(line, AHEAD));
        code.vmovups(11, at(line, 0));
        code.vpslld(10, 11, 16);
        code.vpandd(11, 11, 12);
        code.vfmadd231ps(2 * line, 8, 10);
        code.vfmadd231ps(2 * line + 1, 9, 11);
    }

    /** A place in one of the lines. */
    private static Address at(int line, int displacement) {
        return new Address(line < 2 ? Register.RSI : Register.R11, line % 2 == 0 ? null : Register.R8, displacement);
    }
}
