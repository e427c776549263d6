package io.gradus.gpu.runtime;

import io.gradus.core.DType;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The memory of a device: a few large arrays ({@link Arena}s) that live as long as the device. A tensor is an offset
 * into one of them. Arrays are indexed by int, so an F32 arena holds at most 8.6 GB, and larger devices have several.
 * Integers, 16-bit floats and 8-bit codes have separate arenas, because a kernel cannot reinterpret the bits of one
 * type as another. A double, which kernels store but do not compute with, takes two integers.
 */
public final class DeviceMemory {
    /**
     * Elements at the start of each arena that belong to no tensor: the graph that allocates the arenas writes there.
     */
    static final int RESERVED = 64;

    private static final int SHORTS_PART = 8;
    private static final int BYTES_PART = 16;
    private static final int INTS_PART = 16;
    private static final int LARGEST = Integer.MAX_VALUE / FreeList.ALIGNMENT * FreeList.ALIGNMENT - 64;

    private final List<Arena> floats = new ArrayList<>();
    private final Arena ints;
    private final Arena shorts;
    private final Arena bytes;
    private final MemoryLedger ledger = new MemoryLedger();
    private final String name;

    /**
     * One array.
     *
     * @param number unique among the arenas of all types
     */
    public record Arena(int number, TornadoNativeArray array, FreeList free) {}

    /**
     * The elements of an arena that belong to one storage.
     *
     * @param from index of the first element
     * @param length number of elements
     */
    record Block(Arena arena, int from, int length) {}

    /**
     * @param name the device name, for errors
     * @param bytes how much of its memory to reserve
     * @param largestArray the largest array that the device supports, in bytes
     */
    public DeviceMemory(String name, long bytes, long largestArray) {
        this.name = name;
        long limit = Math.min(LARGEST, largestArray / Float.BYTES - 64);
        int intLength = length(bytes / INTS_PART / Integer.BYTES, limit);
        int shortLength = length(bytes / SHORTS_PART / Short.BYTES, limit);
        int byteLength = length(bytes / BYTES_PART, limit);
        ints = new Arena(0, HostArrays.ints(intLength), new FreeList(RESERVED, intLength));
        shorts = new Arena(1, HostArrays.shorts(shortLength), new FreeList(RESERVED, shortLength));
        this.bytes = new Arena(2, HostArrays.bytes(byteLength), new FreeList(RESERVED, byteLength));
        long left = bytesForFloats(bytes) / Float.BYTES;
        do {
            int length = length(left, limit);
            floats.add(new Arena(3 + floats.size(), HostArrays.floats(length), new FreeList(RESERVED, length)));
            left -= length;
        } while (left >= limit / 8);
    }

    /** The part of the memory that is for F32. */
    public static long bytesForFloats(long bytes) {
        return bytes - bytes / INTS_PART - bytes / SHORTS_PART - bytes / BYTES_PART;
    }

    private static int length(long wanted, long limit) {
        return (int) Math.max(1 << 10, Math.min(wanted, limit) / FreeList.ALIGNMENT * FreeList.ALIGNMENT);
    }

    public MemoryLedger ledger() {
        return ledger;
    }

    /** All arenas. Those for F32 come last. */
    List<Arena> arenas() {
        List<Arena> all = new ArrayList<>(List.of(ints, shorts, bytes));
        all.addAll(floats);
        return all;
    }

    /**
     * Allocates memory.
     *
     * @throws OutOfMemoryError if no arena has room; the message lists what uses the memory and how to get more
     */
    public TornadoStorage allocate(DType dtype, long elements, MemoryCategory category) {
        long length = elements * words(dtype);
        Block block = length > LARGEST ? null : tryAllocate(dtype, (int) length);
        if (block == null) {
            System.gc(); // the garbage collector frees storage that belongs to no scope
            block = length > LARGEST ? null : allocateAfterCollection(dtype, (int) length);
        }
        if (block == null) {
            throw new OutOfMemoryError(explain(dtype, elements, category));
        }
        return new TornadoStorage(this, block, dtype, elements * dtype.bytes(), category);
    }

    /** The number of arena elements per tensor element. */
    public static int words(DType dtype) {
        return dtype == DType.F64 ? 2 : 1;
    }

    private synchronized @Nullable Block tryAllocate(DType dtype, int length) {
        for (Arena arena : arenasOf(dtype)) {
            int from = arena.free.allocate(length);
            if (from >= 0) {
                return new Block(arena, from, length);
            }
        }
        return null;
    }

    /** Retries for a while: the cleaner runs on its own thread some time after the garbage collection. */
    private @Nullable Block allocateAfterCollection(DType dtype, int length) {
        for (int tries = 0; tries < 10; tries++) {
            Block block = tryAllocate(dtype, length);
            if (block != null) {
                return block;
            }
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return null;
            }
        }
        return null;
    }

    synchronized void release(Block block) {
        block.arena.free.release(block.from, block.length);
    }

    private List<Arena> arenasOf(DType dtype) {
        return switch (dtype) {
            case F32 -> floats;
            case BF16, F16 -> List.of(shorts);
            case U8 -> List.of(bytes);
            case I32, F64 -> List.of(ints);
        };
    }

    /** The total number of bytes available to tensors of a dtype. */
    long capacity(DType dtype) {
        long bytes = 0;
        for (Arena arena : arenasOf(dtype)) {
            bytes += arena.array.getNumBytesOfSegment();
        }
        return bytes;
    }

    private synchronized String explain(DType dtype, long elements, MemoryCategory category) {
        List<Arena> arenas = arenasOf(dtype);
        int bytes = dtype.bytes() / words(dtype);
        long free = arenas.stream().mapToLong(arena -> arena.free.free()).sum() * bytes;
        long largest =
                arenas.stream().mapToLong(arena -> arena.free.largest()).max().orElse(0) * bytes;
        Map<MemoryCategory, Long> live = List.of(MemoryCategory.values()).stream()
                .filter(each -> ledger.live(each) > 0)
                .collect(Collectors.toMap(each -> each, ledger::live));
        return "gpu: no room on " + name + " for " + megabytes(elements * dtype.bytes()) + " of " + category + " in "
                + dtype + ": of " + megabytes(capacity(dtype)) + " for this type " + megabytes(free)
                + " are free, the largest hole is " + megabytes(largest) + "; in use are "
                + live.entrySet().stream()
                        .sorted(Map.Entry.comparingByKey())
                        .map(each -> each.getKey() + " " + megabytes(each.getValue()))
                        .collect(Collectors.joining(", "))
                + "; use a smaller batch_size or data.max_seq_len, or more memory with -Dgradus.gpu.memory=8g";
    }

    private static String megabytes(long bytes) {
        return String.format(java.util.Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
