package io.gradus.core.safetensors;

import io.gradus.core.DType;
import io.gradus.core.HostCast;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * Copies elements between a file and a tensor. If the dtypes differ it converts a few at a time, so that host memory never holds
 * a second copy.
 */
final class Elements {
    /** Elements converted at a time: few compared with a weight, many compared with the cost of a call. */
    private static final int RUN = 1 << 18;

    private static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Elements() {}

    /** Whether elements of one dtype can be converted to another. */
    static boolean convertible(DType from, DType to) {
        return from == to || (from.isFloating() && to.isFloating()) || (from == DType.U8 && to == DType.I32);
    }

    /**
     * Fills a tensor from the bytes of an entry.
     *
     * @throws SafetensorsException if the dtypes are incompatible or a value is out of range
     */
    static void read(Path file, Entry entry, StoredType type, FileRange source, Tensor target) throws IOException {
        int bytes = type.bits() / 8;
        long size = target.size();
        long most = Math.max(1, Math.min(size, RUN));
        DType held = type.dtype();
        Tensor flat = target.reshape(size);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment raw = arena.allocate(most * bytes, 8);
            MemorySegment converted = held == target.dtype()
                    ? raw
                    : arena.allocate(most * target.dtype().bytes(), 8);
            for (long from = 0; from < size; from += RUN) {
                long count = Math.min(RUN, size - from);
                MemorySegment run = raw.asSlice(0, count * bytes);
                source.read(from * bytes, run);
                if (held == null) {
                    widen(file, entry, type, run, converted, count);
                } else if (held != target.dtype()) {
                    convert(file, entry.name(), run, held, converted, target.dtype(), count);
                }
                target.backend()
                        .upload(converted.asSlice(0, count * target.dtype().bytes()), flat.slice(from, from + count));
            }
        }
    }

    /** Converts integers of another width to I32. */
    private static void widen(
            Path file, Entry entry, StoredType type, MemorySegment source, MemorySegment target, long count)
            throws SafetensorsException {
        for (long i = 0; i < count; i++) {
            long value = switch (type) {
                case I64 -> source.get(I64, i * 8);
                case I16 -> source.get(I16, i * 2);
                case I8 -> source.get(ValueLayout.JAVA_BYTE, i);
                case BOOL -> source.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
                default -> throw new IllegalArgumentException(type + " is not an integer of another width");
            };
            if (value != (int) value) {
                throw new SafetensorsException(
                        file,
                        "tensor '" + entry.name() + "' holds " + value
                                + ", which does not fit in 32 bits; integers are read as I32 only");
            }
            target.set(I32, i * 4, (int) value);
        }
    }

    /**
     * Writes a tensor's elements at the channel's position.
     *
     * @throws SafetensorsException if a value is out of range
     */
    static void write(Path file, String name, Tensor source, DType dtype, FileChannel channel) throws IOException {
        long size = source.size();
        Tensor flat = source.reshape(size);
        try (Arena arena = Arena.ofConfined()) {
            long most = Math.max(1, Math.min(size, RUN));
            MemorySegment raw = arena.allocate(most * source.dtype().bytes(), 8);
            MemorySegment converted = source.dtype() == dtype ? raw : arena.allocate(most * dtype.bytes(), 8);
            for (long from = 0; from < size; from += RUN) {
                long count = Math.min(RUN, size - from);
                MemorySegment run = raw.asSlice(0, count * source.dtype().bytes());
                source.backend().download(flat.slice(from, from + count), run);
                if (source.dtype() != dtype) {
                    convert(file, name, run, source.dtype(), converted, dtype, count);
                }
                ByteBuffer bytes = converted.asSlice(0, count * dtype.bytes()).asByteBuffer();
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            }
        }
    }

    /** Converts elements; a finite value must not become infinite. */
    private static void convert(
            Path file, String name, MemorySegment source, DType from, MemorySegment target, DType to, long count)
            throws SafetensorsException {
        HostCast.convert(source, from, target, to, count);
        boolean widens = to == DType.F64 || (to == DType.F32 && from.bytes() == 2);
        if (widens) {
            return;
        }
        double[] value = new double[1];
        for (long i = 0; i < count; i++) {
            if (isInfinite(target, to, i)) {
                HostCast.convert(
                        source.asSlice(i * from.bytes(), from.bytes()),
                        from,
                        MemorySegment.ofArray(value),
                        DType.F64,
                        1);
                if (Double.isFinite(value[0])) {
                    throw new SafetensorsException(
                            file,
                            "tensor '" + name + "' holds " + value[0] + ", which " + to + " cannot; "
                                    + (to == DType.F16 ? "use BF16 or F32" : "use " + from));
                }
            }
        }
    }

    private static boolean isInfinite(MemorySegment memory, DType dtype, long i) {
        return switch (dtype) {
            case F32 -> (memory.get(I32, i * 4) & 0x7FFF_FFFF) == 0x7F80_0000;
            case BF16 -> (memory.get(I16, i * 2) & 0x7FFF) == 0x7F80;
            case F16 -> (memory.get(I16, i * 2) & 0x7FFF) == 0x7C00;
            case F64, I32, U8 -> false;
        };
    }
}
