package io.gradus.gpu.runtime;

import static io.gradus.gpu.runtime.Launcher.ints;

import io.gradus.core.DType;
import io.gradus.core.Tensor;
import io.gradus.gpu.runtime.Launcher.Staging;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntFunction;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Copies between host and device, through small arrays of the host: TornadoVM copies whole arrays only, and an arena is far too
 * large. A short array serves what is short, so that a scalar does not cost megabytes.
 */
public final class Transfers {
    private static final int SHORT = 1 << 8;
    private static final int LONG = 1 << 20;

    private static final Kernel FLOATS_UP = Kernel.of("upload_floats", Transfers::floatsUp);
    private static final Kernel FLOATS_DOWN = Kernel.of("download_floats", Transfers::floatsDown);
    private static final Kernel INTS_UP = Kernel.of("upload_ints", Transfers::intsUp);
    private static final Kernel INTS_DOWN = Kernel.of("download_ints", Transfers::intsDown);
    private static final Kernel SHORTS_UP = Kernel.of("upload_shorts", Transfers::shortsUp);
    private static final Kernel SHORTS_DOWN = Kernel.of("download_shorts", Transfers::shortsDown);
    private static final Kernel BYTES_UP = Kernel.of("upload_bytes", Transfers::bytesUp);
    private static final Kernel BYTES_DOWN = Kernel.of("download_bytes", Transfers::bytesDown);

    // The descriptor: where the operands begin, then the integers of the launch.
    private static final int HOST = 0;
    private static final int TENSOR = 1;
    private static final int N = Kernel.INTS;

    private final Launcher launcher;
    private final Lane floats = new Lane(FloatArray::new, FLOATS_UP, FLOATS_DOWN, Float.BYTES);
    private final Lane ints = new Lane(IntArray::new, INTS_UP, INTS_DOWN, Integer.BYTES);
    private final Lane shorts = new Lane(ShortArray::new, SHORTS_UP, SHORTS_DOWN, Short.BYTES);
    private final Lane bytes = new Lane(ByteArray::new, BYTES_UP, BYTES_DOWN, Byte.BYTES);

    /** What elements of one arena type need. */
    private static final class Lane {
        final TornadoNativeArray small;
        final TornadoNativeArray large;
        final Kernel up;
        final Kernel down;
        final int bytes;

        Lane(IntFunction<TornadoNativeArray> array, Kernel up, Kernel down, int bytes) {
            small = array.apply(SHORT);
            large = array.apply(LONG);
            this.up = up;
            this.down = down;
            this.bytes = bytes;
        }
    }

    public Transfers(Launcher launcher) {
        this.launcher = launcher;
    }

    private Lane lane(Tensor tensor) {
        return switch (TornadoStorage.of(tensor).arena().array()) {
            case FloatArray _ -> floats;
            case IntArray _ -> ints;
            case ShortArray _ -> shorts;
            case ByteArray _ -> bytes;
            default -> throw new IllegalStateException("no arena holds " + tensor.dtype());
        };
    }

    public synchronized void upload(MemorySegment source, Tensor target) {
        Lane lane = lane(target);
        long elements = target.byteSize() / lane.bytes;
        for (long done = 0; done < elements; ) {
            int count = (int) Math.min(elements - done, LONG);
            TornadoNativeArray host = count <= SHORT ? lane.small : lane.large;
            MemorySegment.copy(source, done * lane.bytes, segment(host), 0, (long) count * lane.bytes);
            launcher.stage(lane.up, Staging.UP, host, target, done, count, ints(count));
            done += count;
        }
        if (target.dtype() == DType.I32) {
            remember(source, target);
        }
    }

    /** Keeps what was written if it is the whole storage: ids are checked and counted on the host. */
    private static void remember(MemorySegment source, Tensor target) {
        boolean whole =
                target.offset() == 0 && target.byteSize() == target.storage().byteSize();
        TornadoStorage.of(target)
                .know(whole ? source.asSlice(0, target.byteSize()).toArray(ValueLayout.JAVA_INT_UNALIGNED) : null);
    }

    public synchronized void download(Tensor source, MemorySegment target) {
        Lane lane = lane(source);
        long elements = source.byteSize() / lane.bytes;
        for (long done = 0; done < elements; ) {
            int count = (int) Math.min(elements - done, LONG);
            TornadoNativeArray host = count <= SHORT ? lane.small : lane.large;
            launcher.stage(lane.down, Staging.DOWN, host, source, done, count, ints(count));
            MemorySegment.copy(segment(host), 0, target, done * lane.bytes, (long) count * lane.bytes);
            done += count;
        }
    }

    private static MemorySegment segment(TornadoNativeArray array) {
        return array.getSegment();
    }

    private static void floatsUp(KernelContext c, IntArray d, FloatArray s, FloatArray host, FloatArray tensor) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            tensor.set(d.get(TENSOR) + i, host.get(d.get(HOST) + i));
        }
    }

    private static void floatsDown(KernelContext c, IntArray d, FloatArray s, FloatArray host, FloatArray tensor) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            host.set(d.get(HOST) + i, tensor.get(d.get(TENSOR) + i));
        }
    }

    private static void intsUp(KernelContext c, IntArray d, FloatArray s, IntArray host, IntArray tensor) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            tensor.set(d.get(TENSOR) + i, host.get(d.get(HOST) + i));
        }
    }

    private static void intsDown(KernelContext c, IntArray d, FloatArray s, IntArray host, IntArray tensor) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            host.set(d.get(HOST) + i, tensor.get(d.get(TENSOR) + i));
        }
    }

    private static void shortsUp(KernelContext c, IntArray d, FloatArray s, ShortArray host, ShortArray tensor) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            tensor.set(d.get(TENSOR) + i, host.get(d.get(HOST) + i));
        }
    }

    private static void shortsDown(KernelContext c, IntArray d, FloatArray s, ShortArray host, ShortArray tensor) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            host.set(d.get(HOST) + i, tensor.get(d.get(TENSOR) + i));
        }
    }

    private static void bytesUp(KernelContext c, IntArray d, FloatArray s, ByteArray host, ByteArray tensor) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            tensor.set(d.get(TENSOR) + i, host.get(d.get(HOST) + i));
        }
    }

    private static void bytesDown(KernelContext c, IntArray d, FloatArray s, ByteArray host, ByteArray tensor) {
        int i = c.globalIdx;
        if (i < d.get(N)) {
            host.set(d.get(HOST) + i, tensor.get(d.get(TENSOR) + i));
        }
    }
}
