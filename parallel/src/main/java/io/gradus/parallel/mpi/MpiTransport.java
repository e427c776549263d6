package io.gradus.parallel.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.gradus.parallel.CommunicationException;
import io.gradus.parallel.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Messages by {@code MPI_Isend} and {@code MPI_Irecv} between the processes that {@code mpirun} started. Use it through
 * {@code Communicator.of(MpiTransport::new)}.
 */
public final class MpiTransport implements Transport {
    /** At least the size of {@code MPI_Status} in every ABI. */
    private static final long STATUS_BYTES = 64;

    private static final int ABORT_CODE = 1;

    /** A launcher reads what its processes print, but may end on an abort before it has read everything. */
    private static final long FORWARD_MILLIS = 500;

    private final MpiLibrary mpi;
    private final Object world;
    private final Object bytes;
    private final MemorySegment status = Arena.ofAuto().allocate(STATUS_BYTES, 8);
    private final MemorySegment number = Arena.ofAuto().allocate(JAVA_INT);
    private final MethodHandle send;
    private final MethodHandle receive;
    private final MethodHandle test;
    private final MethodHandle getCount;
    private final MethodHandle abort;
    private final int rank;
    private final int size;

    /**
     * Joins the job, by {@code MPI_Init_thread}. A process can do so once.
     *
     * @throws CommunicationException if there is no MPI library, or it cannot be used by the threads of a JVM
     */
    public MpiTransport() {
        MemoryLayout handle;
        try (JvmSignals _ = new JvmSignals()) {
            mpi = MpiLibrary.load();
            world = mpi.world();
            bytes = mpi.bytes();
            handle = mpi.abi().handle();
            initialize(handle);
        }
        // buffer, count, datatype, rank, tag, communicator, request
        MemoryLayout[] message = {ADDRESS, JAVA_INT, handle, JAVA_INT, JAVA_INT, handle, ADDRESS};
        send = mpi.function("MPI_Isend", message);
        receive = mpi.function("MPI_Irecv", message);
        test = mpi.function("MPI_Test", ADDRESS, ADDRESS, ADDRESS);
        getCount = mpi.function("MPI_Get_count", ADDRESS, handle, ADDRESS);
        abort = mpi.function("MPI_Abort", handle, JAVA_INT);
        rank = ask("MPI_Comm_rank", handle);
        size = ask("MPI_Comm_size", handle);
    }

    private void initialize(MemoryLayout handle) {
        MethodHandle init = mpi.function("MPI_Init_thread", ADDRESS, ADDRESS, JAVA_INT, ADDRESS);
        int wanted = mpi.abi().threadSerialized();
        mpi.call("MPI_Init_thread", init, MemorySegment.NULL, MemorySegment.NULL, wanted, number);
        int provided = number.get(JAVA_INT, 0);
        if (provided < wanted) {
            throw new CommunicationException(mpi.version() + " supports only thread level " + provided
                    + ", but MPI_THREAD_SERIALIZED is needed: build it with threads");
        }
        MethodHandle onError = mpi.function("MPI_Comm_set_errhandler", handle, handle);
        mpi.call("MPI_Comm_set_errhandler", onError, world, mpi.errorsReturn());
    }

    private int ask(String function, MemoryLayout handle) {
        mpi.call(function, mpi.function(function, handle, ADDRESS), world, number);
        return number.get(JAVA_INT, 0);
    }

    /** Name and version of the MPI library. */
    public String version() {
        return mpi.version();
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public Transfer send(MemorySegment data, int to, int tag) {
        return start("MPI_Isend", send, data, to, tag, false);
    }

    @Override
    public Transfer receive(MemorySegment data, int from, int tag) {
        return start("MPI_Irecv", receive, data, from, tag, true);
    }

    private Transfer start(
            String name, MethodHandle function, MemorySegment data, int other, int tag, boolean isReceive) {
        MemorySegment request = Arena.ofAuto().allocate(ADDRESS);
        mpi.call(name, function, data, Math.toIntExact(data.byteSize()), bytes, other, tag, world, request);
        return () -> {
            mpi.call("MPI_Test", test, request, number, status);
            boolean complete = number.get(JAVA_INT, 0) != 0;
            if (complete && isReceive) {
                requireLength(data, other);
            }
            return complete;
        };
    }

    /** A longer message is an error of MPI; a shorter one is not. */
    private void requireLength(MemorySegment data, int from) {
        mpi.call("MPI_Get_count", getCount, status, bytes, number);
        int received = number.get(JAVA_INT, 0);
        if (received != data.byteSize()) {
            throw new CommunicationException(
                    "rank " + from + " sent " + received + " bytes and rank " + rank + " expected " + data.byteSize()
                            + "; all ranks must call the same operations with tensors of the same sizes");
        }
    }

    @Override
    public void abort(String reason) {
        System.err.println(reason); // MPI tells the others nothing
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(FORWARD_MILLIS));
        mpi.call("MPI_Abort", abort, world, ABORT_CODE);
    }

    @Override
    public void close() {
        mpi.call("MPI_Finalize", mpi.function("MPI_Finalize"));
    }
}
