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
 * Requests pages of 2 MB instead of 4 KB for large blocks of memory: fewer address translations, and longer prefetching. Linux
 * provides them on request if it is configured for {@code madvise}, as in most distributions. Otherwise, or if the program may
 * not call native functions ({@code --enable-native-access}), this does nothing.
 */
public final class HugePages {
    private static final Path SETTING = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    private static final int DONTNEED = 4;
    private static final int HUGEPAGE = 14;
    /** The largest small page of any processor. */
    private static final long PAGE = 1 << 16;
    /** A block of this size contains a whole huge page at any address. */
    private static final long LARGE = 4 << 20;

    private static final @Nullable MethodHandle MADVISE = canAsk() ? madvise() : null;

    private HugePages() {}

    /** Requests huge pages for a block of zeros. It remains zero. */
    public static void under(MemorySegment block) {
        if (MADVISE == null || block.byteSize() < LARGE) {
            return;
        }
        long from = (block.address() + PAGE - 1) / PAGE * PAGE;
        long bytes = (block.address() + block.byteSize()) / PAGE * PAGE - from;
        try {
            // The JVM has written the zeros to small pages. Release these; the next access gets huge pages.
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
            return false; // a Linux kernel without them
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
