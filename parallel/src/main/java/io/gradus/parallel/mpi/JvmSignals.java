package io.gradus.parallel.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Keeps the JVM's signal handlers. The JVM handles SIGSEGV and its relatives: compiled code finds null references and safepoints
 * with them. Libraries below MPI install handlers of their own, which report the signal and end the process; UCX, under Debian's
 * MPICH, does so when it is loaded.
 */
final class JvmSignals implements AutoCloseable {
    /** At least the size of {@code struct sigaction} on Linux and macOS. */
    private static final long ACTION_BYTES = 256;

    private final Arena arena = Arena.ofConfined();
    private final MethodHandle sigaction;
    private final Map<Integer, MemorySegment> actions = new LinkedHashMap<>();

    /** Remembers the handlers. */
    @SuppressWarnings("restricted") // MPI needs native access anyway
    JvmSignals() {
        Linker linker = Linker.nativeLinker();
        sigaction = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("sigaction"),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
        boolean isMac = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("mac");
        int[] signals = {4, isMac ? 10 : 7, 8, 11}; // SIGILL, SIGBUS, SIGFPE, SIGSEGV
        for (int signal : signals) {
            MemorySegment action = arena.allocate(ACTION_BYTES, 8);
            call(signal, MemorySegment.NULL, action);
            actions.put(signal, action);
        }
    }

    /** Restores the handlers. */
    @Override
    public void close() {
        actions.forEach((signal, action) -> call(signal, action, MemorySegment.NULL));
        arena.close();
    }

    private void call(int signal, MemorySegment newAction, MemorySegment oldAction) {
        try {
            int code = (int) sigaction.invokeExact(signal, newAction, oldAction);
            if (code != 0) {
                throw new IllegalStateException("sigaction failed for signal " + signal);
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("sigaction could not be called", e);
        }
    }
}
