package io.gradus.core.cpu.machine;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Puts code where the processor may execute it. A page is first writable and then, for the rest of the program, executable:
 * never both at once, so that no mistake elsewhere can change what runs. The system may refuse, for example by a policy of
 * SELinux or of a container.
 *
 * <p>For Linux on x86-64, in a program that may call native functions.
 */
final class CodePage {
    /** The longest distance in an operand; 2³¹ − 1 times this is still a long. */
    private static final long MOST = 1L << 32;

    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int EXECUTE = 4;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final long FAILED = -1;
    private static final long PAGE = 4096;

    private static final MethodHandle MMAP = function("mmap", 6);
    private static final MethodHandle MPROTECT = function("mprotect", 3);

    private CodePage() {}

    /**
     * A routine of the given code, with the calling convention of C.
     *
     * @return null if the system does not allow programs to write code
     */
    @SuppressWarnings("restricted") // callers ask before whether this is enabled
    static @Nullable MethodHandle routine(Assembler code, FunctionDescriptor type, Linker.Option... options) {
        MemorySegment page = write(code.bytes());
        return page == null ? null : Linker.nativeLinker().downcallHandle(page, type, options);
    }

    /** A page of code, or null if the system refuses. */
    @SuppressWarnings("restricted")
    static @Nullable MemorySegment write(byte[] code) {
        long bytes = (code.length + PAGE - 1) / PAGE * PAGE;
        try {
            long address = (long) MMAP.invokeExact(0L, bytes, (long) (READ | WRITE), (long) PRIVATE_ANONYMOUS, -1L, 0L);
            if (address == FAILED) {
                return null;
            }
            MemorySegment page = MemorySegment.ofAddress(address).reinterpret(bytes);
            MemorySegment.copy(code, 0, page, ValueLayout.JAVA_BYTE, 0, code.length);
            long refused = (long) MPROTECT.invokeExact(address, bytes, (long) (READ | EXECUTE));
            if ((int) refused != 0) {
                long _ = (long) function("munmap", 2).invokeExact(address, bytes);
                return null;
            }
            return page;
        } catch (Throwable e) {
            throw new IllegalStateException("a page for code could not be made", e);
        }
    }

    /** A function of the C library that takes and returns integers, which registers of 64 bits hold whatever their size. */
    @SuppressWarnings("restricted")
    static MethodHandle function(String name, int arguments, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        ValueLayout[] types = new ValueLayout[arguments];
        Arrays.fill(types, ValueLayout.JAVA_LONG);
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(ValueLayout.JAVA_LONG, types), options);
    }

    /**
     * Checks the distance between parts of an operand of machine code, so that the size of the operand, a multiple of it, does not
     * overflow.
     *
     * @throws IndexOutOfBoundsException unless it is between {@code least} and 2³²
     */
    static void checkStride(long stride, long least) {
        if (stride < least || stride > MOST) {
            throw new IndexOutOfBoundsException("a stride of " + stride + " is not between " + least + " and " + MOST);
        }
    }
}
