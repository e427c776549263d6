package io.gradus.parallel.mpi;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;

/**
 * How an MPI library represents handles: communicators, datatypes, and requests. Before MPI 5 each family had its own application
 * binary interface (ABI), so the same C program had to be compiled anew for each.
 */
enum MpiAbi {
    /** Open MPI 4 and 5: handles are the addresses of objects that the library exports. */
    OPEN_MPI(ValueLayout.ADDRESS) {
        @Override
        Object world(SymbolLookup library) {
            return library.findOrThrow("ompi_mpi_comm_world");
        }

        @Override
        Object bytes(SymbolLookup library) {
            return library.findOrThrow("ompi_mpi_byte");
        }

        @Override
        Object errorsReturn(SymbolLookup library) {
            return library.findOrThrow("ompi_mpi_errors_return");
        }
    },
    /** MPICH and the libraries with its ABI (Intel MPI, MVAPICH, Cray MPICH): handles are ints. */
    MPICH(ValueLayout.JAVA_INT) {
        @Override
        Object world(SymbolLookup library) {
            return 0x44000000;
        }

        @Override
        Object bytes(SymbolLookup library) {
            return 0x4c00010d;
        }

        @Override
        Object errorsReturn(SymbolLookup library) {
            return 0x54000001;
        }
    },
    /** The ABI that MPI 5.0 defines (chapter 20): handles are pointers whose predefined values are small integers. */
    STANDARD(ValueLayout.ADDRESS) {
        @Override
        Object world(SymbolLookup library) {
            return MemorySegment.ofAddress(0x101);
        }

        @Override
        Object bytes(SymbolLookup library) {
            return MemorySegment.ofAddress(0x247);
        }

        @Override
        Object errorsReturn(SymbolLookup library) {
            return MemorySegment.ofAddress(0x143);
        }

        @Override
        int threadSerialized() {
            return 2048;
        }
    };

    private final MemoryLayout handle;

    MpiAbi(MemoryLayout handle) {
        this.handle = handle;
    }

    /**
     * The ABI of a library.
     *
     * @param standardVersion what {@code MPI_Abi_get_version} reports: 1 or more for the ABI of MPI 5.0, and −1 for others
     */
    static MpiAbi of(SymbolLookup library, int standardVersion) {
        if (library.find("ompi_mpi_comm_world").isPresent()) {
            return OPEN_MPI;
        }
        return standardVersion >= 1 ? STANDARD : MPICH;
    }

    /** The layout of a handle as an argument. */
    MemoryLayout handle() {
        return handle;
    }

    /** {@code MPI_COMM_WORLD}. */
    abstract Object world(SymbolLookup library);

    /** {@code MPI_BYTE}. */
    abstract Object bytes(SymbolLookup library);

    /** {@code MPI_ERRORS_RETURN}: functions return an error code instead of ending the process. */
    abstract Object errorsReturn(SymbolLookup library);

    /** {@code MPI_THREAD_SERIALIZED}: several threads call MPI, but only one at a time. */
    int threadSerialized() {
        return 2;
    }
}
