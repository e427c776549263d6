package io.gradus.gpu.runtime;

import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntFunction;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Copies between host and device through staging arrays on the host: TornadoVM copies only whole arrays, and an arena is far too
 * large for that. Each element type has a short and a long staging array, so that a scalar does not cost megabytes.
 */
public final class Transfers {
    private static final int SHORT = 1 << 8;
    private static final int LONG = 1 << 20;

    private final Launcher launcher;
    private final Staging floats = new Staging(FloatArray::new, Float.BYTES);
    private final Staging ints = new Staging(IntArray::new, Integer.BYTES);
    private final Staging shorts = new Staging(ShortArray::new, Short.BYTES);
    private final Staging bytes = new Staging(ByteArray::new, Byte.BYTES);

    /** The staging arrays of one element type. */
    private static final class Staging {
        final TornadoNativeArray small;
        final TornadoNativeArray large;
        final Kernel copy;
        final int bytes;

        Staging(IntFunction<TornadoNativeArray> array, int bytes) {
            small = array.apply(SHORT);
            large = array.apply(LONG);
            copy = Copy.of(small);
            this.bytes = bytes;
        }

        TornadoNativeArray array(int count) {
            return count <= SHORT ? small : large;
        }
    }

    public Transfers(Launcher launcher) {
        this.launcher = launcher;
    }

    private Staging staging(Tensor tensor) {
        return switch (TornadoStorage.of(tensor).arena().array()) {
            case FloatArray _ -> floats;
            case IntArray _ -> ints;
            case ShortArray _ -> shorts;
            case ByteArray _ -> bytes;
            default -> throw new IllegalStateException("no arena holds " + tensor.dtype());
        };
    }

    public synchronized void upload(MemorySegment source, Tensor target) {
        Staging staging = staging(target);
        long elements = target.byteSize() / staging.bytes;
        for (long done = 0; done < elements; ) {
            int count = (int) Math.min(elements - done, LONG);
            TornadoNativeArray host = staging.array(count);
            MemorySegment.copy(source, done * staging.bytes, host.getSegment(), 0, (long) count * staging.bytes);
            launcher.upload(staging.copy, host, target, done, count, ints(count));
            done += count;
        }
        if (target.dtype() == DType.I32) {
            remember(source, target);
        }
    }

    /** Keeps a copy of what was written if it is the whole storage: ids are checked and counted on the host. */
    private static void remember(MemorySegment source, Tensor target) {
        boolean whole =
                target.offset() == 0 && target.byteSize() == target.storage().byteSize();
        TornadoStorage.of(target)
                .setHostCopy(
                        whole ? source.asSlice(0, target.byteSize()).toArray(ValueLayout.JAVA_INT_UNALIGNED) : null);
    }

    public synchronized void download(Tensor source, MemorySegment target) {
        Staging staging = staging(source);
        long elements = source.byteSize() / staging.bytes;
        for (long done = 0; done < elements; ) {
            int count = (int) Math.min(elements - done, LONG);
            TornadoNativeArray host = staging.array(count);
            launcher.download(staging.copy, source, done, host, count, ints(count));
            MemorySegment.copy(host.getSegment(), 0, target, done * staging.bytes, (long) count * staging.bytes);
            done += count;
        }
    }
}
