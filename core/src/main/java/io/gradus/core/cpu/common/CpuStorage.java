package io.gradus.core.cpu.common;

import io.gradus.core.HostStorage;
import io.gradus.core.MemoryCategory;
import io.gradus.core.MemoryLedger;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Off-heap memory, and how kernels access it. */
public final class CpuStorage extends HostStorage {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.nativeOrder());

    private final CpuMemoryPool pool;
    private final MemorySegment block;

    /**
     * @param block memory of at least {@code byteSize} bytes
     */
    CpuStorage(CpuMemoryPool pool, MemorySegment block, long byteSize, MemoryCategory category, MemoryLedger ledger) {
        super(block.asSlice(0, byteSize), category, ledger);
        this.pool = pool;
        this.block = block;
    }

    @Override
    protected long heldBytes() {
        return block.byteSize();
    }

    @Override
    protected void recycle() {
        pool.recycle(block);
    }

    /** Copies {@code count} floats, starting at element {@code from}, to the start of an array. */
    public static void load(MemorySegment memory, long from, float[] target, int count) {
        MemorySegment.copy(memory, FLOAT, from * 4, target, 0, count);
    }

    /** Copies {@code count} floats from the start of an array to the elements that start at {@code to}. */
    public static void store(float[] source, MemorySegment memory, long to, int count) {
        MemorySegment.copy(source, 0, memory, FLOAT, to * 4, count);
    }

    public static float get(MemorySegment memory, long index) {
        return memory.get(FLOAT, index * 4);
    }

    public static void set(MemorySegment memory, long index, float value) {
        memory.set(FLOAT, index * 4, value);
    }

    public static int getInt(MemorySegment memory, long index) {
        return memory.get(INT, index * 4);
    }

    public static void setInt(MemorySegment memory, long index, int value) {
        memory.set(INT, index * 4, value);
    }
}
