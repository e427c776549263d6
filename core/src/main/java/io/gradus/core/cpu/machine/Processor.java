package io.gradus.core.cpu.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * What the processor can do, by its own account (the instruction CPUID), and which registers the system saves when it switches
 * threads (XGETBV), without which they cannot be used.
 *
 * @param avx512 whether vectors of 512 bits can be used (AVX512F)
 * @param avx512Bf16 whether {@code vdpbf16ps} can be used
 * @param amxBf16 whether {@code tdpbf16ps} can be used, if the system also permits this process to
 */
record Processor(boolean avx512, boolean avx512Bf16, boolean amxBf16) {
    /** XMM, YMM, the masks, and both parts of ZMM. */
    private static final long VECTOR_STATES = 0b1110_0110;
    /** The configuration of tiles, and the tiles. */
    private static final long TILE_STATES = 0b11L << 17;

    // arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)
    private static final long ARCH_PRCTL = 158;
    private static final long REQUEST_PERMISSION = 0x1023;
    private static final long TILE_DATA = 18;

    /** Asks the processor. Null if the system does not allow the routine that asks. */
    static @Nullable Processor ask() {
        MethodHandle cpuid = CodePage.routine(cpuid(), FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, ADDRESS));
        MethodHandle xgetbv = CodePage.routine(xgetbv(), FunctionDescriptor.of(JAVA_LONG));
        if (cpuid == null || xgetbv == null) {
            return null;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(JAVA_INT, 4);
            int last = registers(cpuid, 0, 0, answer)[0];
            boolean statesAreKnown = bit(registers(cpuid, 1, 0, answer)[2], 27);
            if (last < 7 || !statesAreKnown) {
                return new Processor(false, false, false);
            }
            long states = (long) xgetbv.invokeExact();
            int[] features = registers(cpuid, 7, 0, answer);
            int[] more = features[0] < 1 ? new int[4] : registers(cpuid, 7, 1, answer);
            boolean vectors = bit(features[1], 16) && (states & VECTOR_STATES) == VECTOR_STATES;
            boolean tiles = bit(features[3], 24) && (states & TILE_STATES) == TILE_STATES;
            return new Processor(vectors, vectors && bit(more[0], 5), tiles && bit(features[3], 22));
        } catch (Throwable e) {
            throw new IllegalStateException("the processor could not be asked for its instructions", e);
        }
    }

    /** Asks the system for the tile registers, which it gives to processes that ask, for all of their threads. */
    static boolean requestTiles() {
        try {
            return 0
                    == (long) CodePage.function("syscall", 3, Linker.Option.firstVariadicArg(1))
                            .invokeExact(ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA);
        } catch (Throwable e) {
            throw new IllegalStateException("the system could not be asked for tiles", e);
        }
    }

    /** EAX, EBX, ECX and EDX after CPUID. */
    private static int[] registers(MethodHandle cpuid, int leaf, int part, MemorySegment answer) throws Throwable {
        cpuid.invokeExact(leaf, part, answer);
        return answer.toArray(JAVA_INT);
    }

    private static boolean bit(int number, int bit) {
        return (number >> bit & 1) == 1;
    }

    /** {@code void cpuid(int eax, int ecx, int answer[4])}. CPUID overwrites RBX, which belongs to the caller. */
    private static Assembler cpuid() {
        Assembler code = new Assembler();
        code.push(Register.RBX);
        code.move(Register.R8, Register.RDX);
        code.move(Register.RAX, Register.RDI);
        code.move(Register.RCX, Register.RSI);
        code.cpuid();
        code.storeInt(Address.of(Register.R8), Register.RAX);
        code.storeInt(Address.of(Register.R8, 4), Register.RBX);
        code.storeInt(Address.of(Register.R8, 8), Register.RCX);
        code.storeInt(Address.of(Register.R8, 12), Register.RDX);
        code.pop(Register.RBX);
        code.ret();
        return code;
    }

    /** {@code long xgetbv()}: register 0, XCR0. */
    private static Assembler xgetbv() {
        Assembler code = new Assembler();
        code.move(Register.RCX, 0);
        code.xgetbv();
        code.shiftLeft(Register.RDX, 32);
        code.or(Register.RAX, Register.RDX);
        code.ret();
        return code;
    }
}
