package io.gradus.optim;

import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import java.util.function.Consumer;
import java.util.function.Function;

/** Computes on 16-bit tensors through F32 copies. Other tensors are used directly. */
final class Precision {
    private Precision() {}

    /** The tensor itself, or a copy of a 16-bit tensor in F32, which belongs to the current scope. */
    static Tensor widen(Tensor tensor) {
        return tensor.dtype().isHalf()
                ? tensor.to(tensor.device(), tensor.dtype().computed(), MemoryCategory.WORKSPACE)
                : tensor;
    }

    /** Computes something from a tensor; whatever the computation allocates is freed. */
    static <T> T compute(Tensor tensor, Function<Tensor, T> computation) {
        try (Scope _ = Scope.open("computation in F32")) {
            return computation.apply(widen(tensor));
        }
    }

    /** Changes a tensor in place. */
    static void change(Tensor tensor, Consumer<Tensor> change) {
        try (Scope _ = Scope.open("change in F32")) {
            Tensor wide = widen(tensor);
            change.accept(wide);
            if (wide != tensor) {
                tensor.copyFrom(wide);
            }
        }
    }
}
