package io.gradus.parallel;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.HostStorage;
import io.gradus.core.Tensor;
import io.gradus.parallel.Transport.Transfer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What the processes of a job do together. All ranks must call the same collective operations in the same order, with tensors
 * of the same sizes and dtypes. Tensors are in host memory and are read and written in place.
 *
 * <p><b>Sums are in rank order.</b> Floating-point addition is not associative, and MPI does not define the order of its own
 * reductions. Here every element is {@code ((x₀ + x₁) + x₂) + …} with the addends of rank 0, 1, 2, …, rounded to the tensor's
 * dtype after each addition. The result is the same on every rank, in every run, and the same as the sum that one process
 * makes of the same addends one after the other.
 *
 * <p><b>Cost.</b> With N ranks and a tensor of B bytes, each rank sends and receives {@code B·(N−1)/N} bytes for
 * {@link #allGather} and for {@link #reduceScatter}, and twice as many for {@link #allReduce}: as many as a ring (Patarasuk &amp;
 * Yuan 2009, section 3). Each rank exchanges its data with every other rank directly, in N − 1 rounds.
 *
 * <p>One thread per communicator carries out all communication in the order of the calls. The methods that return
 * {@link Pending} do not wait for it, so the caller can compute meanwhile.
 */
public final class Communicator implements Collectives, AutoCloseable {
    private static final int COLLECTIVE = 0;
    private static final int MAX_TAG = (1 << 15) - 2;
    /** The bytes of a message. Larger tensors are sent in pieces. */
    private static final long PIECE = SumWorkspace.MESSAGE;

    private static final List<DType> FLOATS = List.of(DType.F32, DType.BF16, DType.F16);

    private static final long SPIN_NANOS = 20_000;
    private static final long PAUSE_NANOS = 50_000;

    private final Transport transport;
    private final ExecutorService thread;
    private final int rank;
    private final int size;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong busyNanos = new AtomicLong();
    private final AtomicLong waitedNanos = new AtomicLong();
    private volatile @Nullable SumWorkspace workspace;

    private Communicator(ExecutorService thread, Transport transport) {
        this.thread = thread;
        this.transport = transport;
        this.rank = transport.rank();
        this.size = transport.size();
    }

    /** Opens a transport. */
    @FunctionalInterface
    public interface Opening {
        Transport open();
    }

    /**
     * Joins a job.
     *
     * @param opening is called by the thread that will use the transport
     * @throws CommunicationException if the job cannot be joined
     */
    public static Communicator of(Opening opening) {
        ExecutorService thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("gradus-communication").factory());
        CompletableFuture<Transport> opened = CompletableFuture.supplyAsync(opening::open, thread);
        try {
            return new Communicator(thread, opened.join());
        } catch (CompletionException e) {
            thread.shutdown();
            throw CommunicationException.of(e);
        }
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
    public long sentBytes() {
        return sent.get();
    }

    @Override
    public CommunicationTime time() {
        return new CommunicationTime(busyNanos.get() / 1e9, waitedNanos.get() / 1e9);
    }

    @Override
    public void reserve(Device device, DType dtype, long longest) {
        workspace = SumWorkspace.replace(workspace, device, dtype, size, longest);
    }

    // ---- collective operations ----

    /** Waits until all ranks have called this method. */
    public void barrier() {
        // Dissemination (Hensgen, Finkel & Manber 1988): after round k each rank has heard of 2^(k+1) others.
        run(() -> {
                    MemorySegment out = Arena.ofAuto().allocate(1);
                    MemorySegment in = Arena.ofAuto().allocate(1);
                    for (int distance = 1; distance < size; distance *= 2) {
                        exchange(
                                transport.receive(in, Math.floorMod(rank - distance, size), COLLECTIVE),
                                send(out, (rank + distance) % size, COLLECTIVE));
                    }
                })
                .await();
    }

    @Override
    public void broadcast(Tensor tensor, int root) {
        broadcastAsync(tensor, root).await();
    }

    /** {@link #broadcast} without waiting. */
    public Pending broadcastAsync(Tensor tensor, int root) {
        requireRank("broadcast", root);
        MemorySegment bytes = bytes("broadcast", tensor);
        return run(() -> forPieces(bytes, piece -> broadcast(piece, root)));
    }

    /**
     * {@link #allGatherAsync} of {@linkplain Shards#equal equal} shards, and waits.
     *
     * @param shard this rank's range; may be a view of {@code whole}
     * @param whole receives the ranges of all ranks
     */
    public void allGather(Tensor shard, Tensor whole) {
        allGatherAsync(shard, whole, Shards.equal(whole.size(), size)).await();
    }

    @Override
    public Pending allGatherAsync(Tensor shard, Tensor whole, Shards shards) {
        requireShard("allGather", shard, whole, shards);
        MemorySegment all = bytes("allGather", whole);
        return run(() -> {
            keepOwn(shard, whole, shards);
            allGather(all, whole.dtype().bytes(), shards);
        });
    }

    @Override
    public Pending gatherAsync(Tensor shard, @Nullable Tensor whole, Shards shards, int root) {
        requireRank("gather", root);
        MemorySegment own = bytes("gather", shard);
        if (rank != root) {
            return run(() -> forPieces(own, piece -> exchange(send(piece, root, COLLECTIVE))));
        }
        if (whole == null) {
            throw new IllegalArgumentException("gather: rank " + root + " needs a tensor for the whole");
        }
        requireShard("gather", shard, whole, shards);
        return run(() -> {
            keepOwn(shard, whole, shards);
            for (int from = 0; from < size; from++) {
                if (from != root) {
                    int other = from;
                    forPieces(
                            bytes(shards.of(whole, from)),
                            piece -> exchange(transport.receive(piece, other, COLLECTIVE)));
                }
            }
        });
    }

    @Override
    public double[] gather(double... own) {
        long[] bounds = new long[size + 1];
        double[] lengths = gather(Shards.equal(size, size), own.length);
        for (int from = 0; from < size; from++) {
            bounds[from + 1] = bounds[from] + (long) lengths[from];
        }
        return gather(Shards.of(bounds), own);
    }

    private double[] gather(Shards shards, double... own) {
        MemorySegment all = Arena.ofAuto().allocate(Math.max(1, Double.BYTES * shards.elements()), Double.BYTES);
        MemorySegment.copy(own, 0, all, ValueLayout.JAVA_DOUBLE, Double.BYTES * shards.from(rank), own.length);
        run(() -> allGather(all, Double.BYTES, shards)).await();
        return all.asSlice(0, Double.BYTES * shards.elements()).toArray(ValueLayout.JAVA_DOUBLE);
    }

    /**
     * {@link #reduceScatterAsync} with {@linkplain Shards#equal equal} shards, and waits.
     *
     * @param whole the addend of this rank in F32, BF16 or F16, which is only read
     * @param shard receives this rank's range of the sum; may be a view of {@code whole}
     */
    public void reduceScatter(Tensor whole, Tensor shard) {
        reduceScatterAsync(whole, shard, Shards.equal(whole.size(), size)).await();
    }

    @Override
    public Pending reduceScatterAsync(Tensor whole, Tensor shard, Shards shards) {
        requireShard("reduceScatter", shard, whole, shards);
        requireFloats("reduceScatter", whole);
        return run(() -> reduceScatter(whole, shard.reshape(shard.size()), shards));
    }

    /** Replaces the tensors of all ranks by their sum, added in rank order. */
    public void allReduce(Tensor tensor) {
        allReduceAsync(tensor).await();
    }

    @Override
    public Pending allReduceAsync(Tensor tensor) {
        requireFloats("allReduce", tensor);
        Shards shards = Shards.equal(tensor.size(), size);
        MemorySegment all = bytes(tensor);
        return run(() -> {
            reduceScatter(tensor, flat(shards.of(tensor, rank)), shards);
            allGather(all, tensor.dtype().bytes(), shards);
        });
    }

    // ---- messages ----

    /**
     * Sends a tensor to one rank, which must call {@link #receive}.
     *
     * @param tag from 0 to 32765: a receiver with another tag does not see the message
     */
    public void send(Tensor tensor, int to, int tag) {
        sendAsync(tensor, to, tag).await();
    }

    /** {@link #send} without waiting. */
    public Pending sendAsync(Tensor tensor, int to, int tag) {
        requireMessage("send", to, tag);
        MemorySegment bytes = bytes("send", tensor);
        return run(() -> forPieces(bytes, piece -> exchange(send(piece, to, tag + 1))));
    }

    /** Receives a tensor that one rank sends with {@link #send}. */
    public void receive(Tensor tensor, int from, int tag) {
        receiveAsync(tensor, from, tag).await();
    }

    /** {@link #receive} without waiting. Later communication of this rank waits until the tensor has arrived. */
    public Pending receiveAsync(Tensor tensor, int from, int tag) {
        requireMessage("receive", from, tag);
        MemorySegment bytes = bytes("receive", tensor);
        return run(() -> forPieces(bytes, piece -> exchange(transport.receive(piece, from, tag + 1))));
    }

    @Override
    public void abort(String reason) {
        transport.abort("rank " + rank + " on " + HostName.get() + ": " + reason);
    }

    /** Leaves the job, after the communication that has been started. All ranks must call this method. */
    @Override
    public void close() {
        try {
            run(transport::close).await();
        } finally {
            thread.shutdown();
        }
    }

    // ---- algorithms, on the communication thread ----

    /**
     * A binomial tree (Thakur, Rabenseifner &amp; Gropp 2005, section 4.2): in each round every rank that has the bytes sends
     * them to one that does not.
     */
    private void broadcast(MemorySegment bytes, int root) {
        int place = Math.floorMod(rank - root, size); // in the tree, whose root is 0
        int span = 1;
        while (span < size && (place & span) == 0) {
            span *= 2;
        }
        if (place != 0) {
            exchange(transport.receive(bytes, (place - span + root) % size, COLLECTIVE));
        }
        List<Transfer> sends = new ArrayList<>();
        for (int distance = span / 2; distance > 0; distance /= 2) {
            if (place + distance < size) {
                sends.add(send(bytes, (place + distance + root) % size, COLLECTIVE));
            }
        }
        exchange(sends);
    }

    private Transfer send(MemorySegment bytes, int to, int tag) {
        sent.addAndGet(bytes.byteSize());
        return transport.send(bytes, to, tag);
    }

    /** In each round, every rank sends its own range to one rank and receives that of another. */
    private void allGather(MemorySegment whole, int elementBytes, Shards shards) {
        for (int distance = 1; distance < size; distance++) {
            int to = (rank + distance) % size;
            int from = Math.floorMod(rank - distance, size);
            exchangeInPieces(
                    range(whole, elementBytes, shards, rank), to, range(whole, elementBytes, shards, from), from);
        }
    }

    private static MemorySegment range(MemorySegment whole, int elementBytes, Shards shards, int rank) {
        return whole.asSlice(elementBytes * shards.from(rank), elementBytes * shards.size(rank));
    }

    /** Copies this rank's shard to its place in the whole, unless it is there. */
    private void keepOwn(Tensor shard, Tensor whole, Shards shards) {
        Tensor own = shards.of(whole, rank);
        if (own.size() > 0 && !isSameMemory(shard, own)) {
            flat(own).copyFrom(flat(shard));
        }
    }

    /**
     * Each rank sends the ranges of the others, receives their addends of its own range, and adds these in rank order. It goes
     * piece by piece, so that only one piece of each rank's addend waits in memory.
     */
    private void reduceScatter(Tensor whole, Tensor shard, Shards shards) {
        long pieceLength = SumWorkspace.pieceLength(size, whole.dtype());
        long longest = shards.longest();
        SumWorkspace reserved = workspace;
        boolean fits = reserved != null && reserved.fits(whole.device(), whole.dtype(), longest);
        SumWorkspace used =
                reserved != null && fits ? reserved : SumWorkspace.of(whole.device(), whole.dtype(), size, longest);
        for (long at = 0; at < longest; at += pieceLength) {
            List<Transfer> transfers = new ArrayList<>();
            Tensor own = piece(flat(shards.of(whole, rank)), at, pieceLength);
            for (int distance = 1; distance < size; distance++) {
                int from = Math.floorMod(rank - distance, size);
                if (own.size() > 0) {
                    transfers.add(transport.receive(bytes(used.addend(from, own.size())), from, COLLECTIVE));
                }
                int to = (rank + distance) % size;
                Tensor theirs = piece(flat(shards.of(whole, to)), at, pieceLength);
                if (theirs.size() > 0) {
                    transfers.add(send(bytes(theirs), to, COLLECTIVE));
                }
            }
            exchange(transfers);
            if (own.size() > 0) {
                sumInRankOrder(own, used, piece(shard, at, pieceLength));
            }
        }
        if (!fits) {
            used.release();
        }
    }

    private void sumInRankOrder(Tensor own, SumWorkspace used, Tensor sum) {
        Tensor ownAddend = own;
        if (rank > 0 && isSameMemory(own, sum)) { // rank 0's addend comes first and overwrites it
            ownAddend = used.addend(rank, own.size());
            ownAddend.copyFrom(own);
        }
        for (int from = 0; from < size; from++) {
            Tensor addend = from == rank ? ownAddend : used.addend(from, own.size());
            if (from > 0) {
                used.add(addend, sum);
            } else if (!isSameMemory(addend, sum)) {
                sum.copyFrom(addend);
            }
        }
    }

    private static Tensor flat(Tensor tensor) {
        return tensor.reshape(tensor.size());
    }

    private static Tensor piece(Tensor shard, long at, long length) {
        long from = Math.min(at, shard.size());
        return shard.slice(from, Math.min(from + length, shard.size()));
    }

    private void exchangeInPieces(MemorySegment out, int to, MemorySegment in, int from) {
        for (long at = 0; at < Math.max(out.byteSize(), in.byteSize()); at += PIECE) {
            List<Transfer> transfers = new ArrayList<>();
            if (at < in.byteSize()) {
                transfers.add(transport.receive(piece(in, at), from, COLLECTIVE));
            }
            if (at < out.byteSize()) {
                transfers.add(send(piece(out, at), to, COLLECTIVE));
            }
            exchange(transfers);
        }
    }

    private static MemorySegment piece(MemorySegment bytes, long at) {
        return bytes.asSlice(at, Math.min(PIECE, bytes.byteSize() - at));
    }

    /** What is done with each piece of a tensor. */
    @FunctionalInterface
    private interface PieceAction {
        void accept(MemorySegment piece);
    }

    private static void forPieces(MemorySegment bytes, PieceAction action) {
        for (long at = 0; at < bytes.byteSize(); at += PIECE) {
            action.accept(piece(bytes, at));
        }
    }

    private static void exchange(Transfer... transfers) {
        exchange(new ArrayList<>(List.of(transfers)));
    }

    /**
     * Waits for transfers. A message between machines takes longer than a switch to another thread, so the processor is given
     * to the threads that compute.
     */
    private static void exchange(List<Transfer> transfers) {
        long start = System.nanoTime();
        while (true) {
            transfers.removeIf(Transfer::isComplete);
            if (transfers.isEmpty()) {
                return;
            }
            if (System.nanoTime() - start < SPIN_NANOS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private Pending run(Runnable communication) {
        Runnable timed = () -> {
            long start = System.nanoTime();
            try {
                communication.run();
            } finally {
                busyNanos.addAndGet(System.nanoTime() - start);
            }
        };
        return new Pending(CompletableFuture.runAsync(timed, thread), waitedNanos);
    }

    // ---- checks ----

    private static MemorySegment bytes(Tensor tensor) {
        return HostStorage.of(tensor);
    }

    private static MemorySegment bytes(String operation, Tensor tensor) {
        if (!(tensor.storage() instanceof HostStorage)) {
            throw new IllegalArgumentException(operation + ": " + tensor.describe()
                    + " is not in host memory; copy it with to(Device.cpu()) first");
        }
        return HostStorage.of(tensor);
    }

    private static void requireFloats(String operation, Tensor tensor) {
        bytes(operation, tensor);
        if (!FLOATS.contains(tensor.dtype())) {
            throw new IllegalArgumentException(
                    operation + ": " + tensor.describe() + " is " + tensor.dtype() + "; sums are made of " + FLOATS);
        }
    }

    private void requireShard(String operation, Tensor shard, Tensor whole, Shards shards) {
        bytes(operation, shard);
        if (shards.ranks() != size || shards.elements() != whole.size()) {
            throw new IllegalArgumentException(operation + ": the shards " + shards + " do not divide "
                    + whole.describe() + " among " + size + " ranks");
        }
        if (shard.size() != shards.size(rank) || shard.dtype() != whole.dtype()) {
            throw new IllegalArgumentException(
                    operation + ": the shard " + shard.describe() + " of " + whole.describe() + " must have "
                            + shards.size(rank) + " elements of the same dtype on rank " + rank + " of " + size);
        }
    }

    private void requireRank(String operation, int other) {
        if (other < 0 || other >= size) {
            throw new IllegalArgumentException(operation + ": there is no rank " + other + " among " + size);
        }
    }

    private void requireMessage(String operation, int other, int tag) {
        requireRank(operation, other);
        if (other == rank) {
            throw new IllegalArgumentException(operation + ": rank " + rank + " is this process itself");
        }
        if (tag < 0 || tag >= MAX_TAG) {
            throw new IllegalArgumentException(operation + ": tag " + tag + " is not between 0 and " + (MAX_TAG - 1));
        }
    }

    private static boolean isSameMemory(Tensor a, Tensor b) {
        return a.storage() == b.storage() && a.offset() == b.offset();
    }
}
