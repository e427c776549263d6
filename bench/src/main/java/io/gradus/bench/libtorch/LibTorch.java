package io.gradus.bench.libtorch;

import java.util.function.Supplier;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** What is needed of libtorch beside its own operations: loading, threads, tensors from Java and back, short lives. */
public final class LibTorch {
    private LibTorch() {}

    /**
     * Loads the libraries.
     *
     * @return the version, and the library of its matrix products
     * @throws IllegalStateException when they are not there
     */
    public static String load() {
        try {
            String configuration = torch.show_config().getString();
            String version = configuration.replaceAll("(?s).*TORCH_VERSION=([^,\\s]+).*", "$1");
            return version + " with " + System.getProperty("org.bytedeco.openblas.load", "openblas");
        } catch (LinkageError e) {
            throw new IllegalStateException(
                    "libtorch could not be loaded (" + e.getMessage()
                            + "); run ./gradus bench, whose build has its native" + " libraries",
                    e);
        }
    }

    /** How many threads its operations use from now on. */
    public static void setThreads(int threads) {
        torch.set_num_threads(threads);
        if (torch.get_num_threads() != threads) {
            throw new IllegalStateException(
                    "libtorch uses " + torch.get_num_threads() + " threads where " + threads + " were asked for");
        }
    }

    /** A tensor of F32 with these elements, row by row. */
    public static Tensor tensor(float[] elements, long... shape) {
        return Tensor.create(elements, shape);
    }

    /** A tensor of I64, which is what indices are there. */
    public static Tensor indices(int[] elements, long... shape) {
        long[] wide = new long[elements.length];
        for (int i = 0; i < elements.length; i++) {
            wide[i] = elements[i];
        }
        return Tensor.create(wide, shape);
    }

    /** Some of the elements of a contiguous tensor, row by row. */
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
     * A function of C++: what it makes on the way dies when it returns, and its result belongs to the caller's scope.
     * Without it, every temporary would live until the collector comes.
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
