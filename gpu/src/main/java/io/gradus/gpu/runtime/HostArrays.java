package io.gradus.gpu.runtime;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The host side of arrays on the device. TornadoVM requires host memory of the same size. This memory is never touched,
 * so the operating system never allocates pages for it: {@code calloc} of a large block only reserves address space.
 * Like a device, it lives as long as the JVM.
 */
@SuppressWarnings("restricted") // calling native code requires restricted methods
final class HostArrays {
    private static final MethodHandle CALLOC = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("calloc"),
                    FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));

    private HostArrays() {}

    static FloatArray floats(int length) {
        return FloatArray.fromSegmentShallow(untouched(length, Float.BYTES));
    }

    static IntArray ints(int length) {
        return IntArray.fromSegmentShallow(untouched(length, Integer.BYTES));
    }

    static ShortArray shorts(int length) {
        return ShortArray.fromSegmentShallow(untouched(length, Short.BYTES));
    }

    static ByteArray bytes(int length) {
        return ByteArray.fromSegmentShallow(untouched(length, Byte.BYTES));
    }

    private static MemorySegment untouched(int length, int elementBytes) {
        long bytes = TornadoNativeArray.ARRAY_HEADER + (long) length * elementBytes;
        MemorySegment block;
        try {
            block = (MemorySegment) CALLOC.invokeExact(1L, bytes);
        } catch (Throwable e) {
            throw new IllegalStateException("calloc could not be called; is --enable-native-access given?", e);
        }
        if (block.address() == 0) {
            throw new OutOfMemoryError("gpu: no address space for an array of " + bytes + " bytes on the host");
        }
        return block.reinterpret(bytes);
    }
}
