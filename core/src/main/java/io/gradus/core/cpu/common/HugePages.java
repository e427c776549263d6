package io.gradus.core.cpu.common;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Pages of 2 MB instead of 4 KB under large blocks of memory: the processor has fewer of them to look up, and reads ahead
 * further. Linux gives them to those who ask where it is set to ({@code madvise}, as most distributions set it). Where it is not,
 * or where the program may not call native functions ({@code --enable-native-access}), nothing is done.
 */
final class HugePages {
    private static final Path SETTING = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    private static final int DONTNEED = 4;
    private static final int HUGEPAGE = 14;
    /** The largest of the small pages, on any processor. */
    private static final long PAGE = 1 << 16;
    /** From here on a block has a huge page in it, wherever it begins. */
    private static final long LARGE = 4 << 20;

    private static final @Nullable MethodHandle MADVISE = canAsk() ? madvise() : null;

    private HugePages() {}

    /** Asks for huge pages under a block that is all zeros and stays so. */
    static void under(MemorySegment block) {
        if (MADVISE == null || block.byteSize() < LARGE) {
            return;
        }
        long from = (block.address() + PAGE - 1) / PAGE * PAGE;
        long bytes = (block.address() + block.byteSize()) / PAGE * PAGE - from;
        try {
            // The JVM has written the zeros, to small pages. These are given back, and who next touches the block gets
            // large ones.
            int refused = (int) MADVISE.invokeExact(from, bytes, HUGEPAGE);
            if (refused == 0) {
                int _ = (int) MADVISE.invokeExact(from, bytes, DONTNEED);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("madvise could not be called", e);
        }
    }

    private static boolean canAsk() {
        try {
            return HugePages.class.getModule().isNativeAccessEnabled()
                    && Files.isReadable(SETTING)
                    && Files.readString(SETTING).contains("[madvise]");
        } catch (IOException e) {
            return false; // a kernel without them
        }
    }

    @SuppressWarnings("restricted") // it is asked before whether this is enabled
    private static MethodHandle madvise() {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow("madvise"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
    }
}
