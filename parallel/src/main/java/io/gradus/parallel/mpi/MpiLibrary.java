package io.gradus.parallel.mpi;

import io.gradus.parallel.CommunicationException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An MPI library and its functions. MPI functions return an error code, which becomes a {@link CommunicationException}.
 *
 * <p>Which library fits depends on the launcher: a process started by Open MPI's {@code mpirun} must load Open MPI. The launcher's
 * environment variables tell. The system property {@code gradus.mpi} names a library instead.
 */
final class MpiLibrary {
    /** The property that names the library. */
    static final String PROPERTY = "gradus.mpi";

    private static final int MAX_STRING = 8192;
    private static final List<String> OPEN_MPI = List.of("libmpi.so.40", "libmpi.40.dylib");
    private static final List<String> MPICH =
            List.of("libmpi_abi.so.1", "libmpi_abi.1.dylib", "libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib");

    private final SymbolLookup symbols;
    private final MpiAbi abi;
    private final String version;
    private final MethodHandle errorString;

    private MpiLibrary(SymbolLookup symbols) {
        this.symbols = symbols;
        this.abi = MpiAbi.of(symbols, standardVersion());
        this.errorString = function("MPI_Error_string", ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
        this.version = libraryVersion();
    }

    /**
     * Loads the library.
     *
     * @throws CommunicationException if there is none; the message names those that were tried
     */
    static MpiLibrary load() {
        List<String> candidates =
                candidates(System.getProperty(PROPERTY), System.getenv("OMPI_COMM_WORLD_SIZE") != null);
        List<String> problems = new ArrayList<>();
        for (String candidate : candidates) {
            SymbolLookup symbols = load(candidate, problems);
            if (symbols != null) {
                return new MpiLibrary(symbols);
            }
        }
        throw new CommunicationException("no MPI library could be loaded (tried " + String.join(", ", candidates)
                + "): install Open MPI or MPICH, or name the library with -D" + PROPERTY + "=/path/to/libmpi.so; "
                + String.join("; ", problems));
    }

    static List<String> candidates(@Nullable String chosen, boolean launchedByOpenMpi) {
        if (chosen != null) {
            return List.of(chosen);
        }
        List<String> names = new ArrayList<>(launchedByOpenMpi ? OPEN_MPI : MPICH);
        names.addAll(launchedByOpenMpi ? MPICH : OPEN_MPI);
        return names;
    }

    @SuppressWarnings("restricted") // a parallel run needs --enable-native-access
    private static @Nullable SymbolLookup load(String candidate, List<String> problems) {
        try {
            return candidate.contains("/")
                    ? SymbolLookup.libraryLookup(Path.of(candidate), Arena.global())
                    : SymbolLookup.libraryLookup(candidate, Arena.global());
        } catch (IllegalArgumentException e) {
            problems.add(e.getMessage());
            return null;
        }
    }

    MpiAbi abi() {
        return abi;
    }

    /** Name and version of the library, in one line. */
    String version() {
        return version;
    }

    Object world() {
        return abi.world(symbols);
    }

    Object bytes() {
        return abi.bytes(symbols);
    }

    Object errorsReturn() {
        return abi.errorsReturn(symbols);
    }

    /** A function that returns an error code. */
    @SuppressWarnings("restricted")
    MethodHandle function(String name, MemoryLayout... arguments) {
        MemorySegment address = symbols.find(name)
                .orElseThrow(() -> new CommunicationException("the MPI library has no function " + name));
        return Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
    }

    /** Calls a function, whose arguments may be handles of any ABI. */
    void call(String name, MethodHandle function, Object... arguments) {
        int code = invoke(function, arguments);
        if (code != 0) {
            throw new CommunicationException(name + " failed: " + describe(code));
        }
    }

    private static int invoke(MethodHandle function, Object... arguments) {
        try {
            return (int) function.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException("an MPI function could not be called", e);
        }
    }

    String describe(int code) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(MAX_STRING);
            MemorySegment length = arena.allocate(ValueLayout.JAVA_INT);
            return invoke(errorString, code, text, length) == 0 ? text.getString(0) : "error " + code;
        }
    }

    private String libraryVersion() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(MAX_STRING);
            MemorySegment length = arena.allocate(ValueLayout.JAVA_INT);
            call(
                    "MPI_Get_library_version",
                    function("MPI_Get_library_version", ValueLayout.ADDRESS, ValueLayout.ADDRESS),
                    text,
                    length);
            return text.getString(0)
                    .lines()
                    .findFirst()
                    .orElse("")
                    .replaceAll("\\s+", " ")
                    .strip();
        }
    }

    private int standardVersion() {
        if (symbols.find("MPI_Abi_get_version").isEmpty()) {
            return -1;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment major = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment minor = arena.allocate(ValueLayout.JAVA_INT);
            int code = invoke(function("MPI_Abi_get_version", ValueLayout.ADDRESS, ValueLayout.ADDRESS), major, minor);
            return code == 0 ? major.get(ValueLayout.JAVA_INT, 0) : -1;
        }
    }
}
