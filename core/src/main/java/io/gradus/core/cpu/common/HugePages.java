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

    private static final @Nullable MethodHandle MADVISE = canCall() ? madvise() : null;
    private static final boolean ON_REQUEST = MADVISE != null && areOnRequest();

    private HugePages() {}

    /** Requests huge pages for a block of zeros. It remains zero. */
    public static void under(MemorySegment block) {
        if (!ON_REQUEST || block.byteSize() < LARGE) {
            return;
        }
        long from = (block.address() + PAGE - 1) / PAGE * PAGE;
        long bytes = (block.address() + block.byteSize()) / PAGE * PAGE - from;
        // The JVM has written the zeros to small pages. Release these; the next access gets huge pages.
        if (advise(from, bytes, HUGEPAGE) == 0) {
            int _ = advise(from, bytes, DONTNEED);
        }
    }

    /** Returns the memory of a block that is no longer used to the system, whose pages are then zeros. Its addresses remain. */
    static void discard(MemorySegment block) {
        long from = (block.address() + PAGE - 1) / PAGE * PAGE;
        long bytes = (block.address() + block.byteSize()) / PAGE * PAGE - from;
        if (bytes > 0) {
            int _ = advise(from, bytes, DONTNEED);
        }
    }

    /** Calls madvise, if this program may. Returns 0 if the system followed. */
    private static int advise(long from, long bytes, int advice) {
        if (MADVISE == null) {
            return -1;
        }
        try {
            return (int) MADVISE.invokeExact(from, bytes, advice);
        } catch (Throwable e) {
            throw new IllegalStateException("madvise could not be called", e);
        }
    }

    private static boolean canCall() {
        return HugePages.class.getModule().isNativeAccessEnabled()
                && System.getProperty("os.name", "").equals("Linux");
    }

    private static boolean areOnRequest() {
        try {
            return Files.isReadable(SETTING) && Files.readString(SETTING).contains("[madvise]");
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
