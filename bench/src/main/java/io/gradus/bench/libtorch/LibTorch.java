package io.gradus.bench.libtorch;

import java.util.function.Supplier;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Helpers for libtorch: loading, threads, conversion of tensors, and the lifetime of temporaries. */
public final class LibTorch {
    private LibTorch() {}

    /**
     * Loads the native libraries.
     *
     * @return the version, and the BLAS library
     * @throws IllegalStateException if they are missing
     */
    public static String load() {
        try {
            String configuration = torch.show_config().getString();
            String version = configuration.replaceAll("(?s).*TORCH_VERSION=([^,\\s]+).*", "$1");
            return version + " with " + System.getProperty("org.bytedeco.openblas.load", "openblas");
        } catch (LinkageError e) {
            throw new IllegalStateException(
                    "libtorch could not be loaded (" + e.getMessage()
                            + "); run ./gradus bench, whose build includes the native libraries",
                    e);
        }
    }

    /** Sets the number of threads that operations use. */
    public static void setThreads(int threads) {
        torch.set_num_threads(threads);
        if (torch.get_num_threads() != threads) {
            throw new IllegalStateException(
                    "libtorch uses " + torch.get_num_threads() + " threads instead of " + threads);
        }
    }

    /** An F32 tensor with these elements, row by row. */
    public static Tensor tensor(float[] elements, long... shape) {
        return Tensor.create(elements, shape);
    }

    /** An I64 tensor: libtorch's type for indices. */
    public static Tensor indices(int[] elements, long... shape) {
        long[] wide = new long[elements.length];
        for (int i = 0; i < elements.length; i++) {
            wide[i] = elements[i];
        }
        return Tensor.create(wide, shape);
    }

    /** A range of elements of a contiguous tensor, row by row. */
    public static float[] elements(Tensor tensor, long from, int count) {
        float[] elements = new float[count];
        try (FloatPointer memory = new FloatPointer(tensor.data_ptr())) {
            memory.position(from).get(elements);
        }
        return elements;
    }

    /** Overwrites a parameter. */
    public static void assign(Tensor parameter, Tensor value) {
        try (NoGradGuard _ = new NoGradGuard()) {
            parameter.copy_(value);
        }
    }

    /**
     * Runs a function under BF16 autocast, as {@code with torch.autocast("cpu", torch.bfloat16)} does: a weight is converted once,
     * and the copy is dropped at the end.
     */
    public static Tensor autocast(Supplier<Tensor> body) {
        torch.set_autocast_dtype(torch.DeviceType.CPU, torch.ScalarType.BFloat16);
        torch.set_autocast_enabled(torch.DeviceType.CPU, true);
        torch.increment_nesting();
        try {
            return body.get();
        } finally {
            torch.decrement_nesting();
            torch.clear_cache();
            torch.set_autocast_enabled(torch.DeviceType.CPU, false);
        }
    }

    /**
     * Runs a function with the lifetimes of C++: temporaries are freed when it returns, and the result belongs to the caller's
     * scope. Otherwise temporaries would live until they are garbage-collected.
     */
    public static Tensor function(Supplier<Tensor> body) {
        PointerScope caller = PointerScope.getInnerScope();
        Tensor result;
        try (PointerScope _ = new PointerScope()) {
            result = body.get();
            result.retainReference();
        }
        if (caller != null) {
            caller.attach(result);
            result.releaseReference();
        }
        return result;
    }
}
