package io.gradus.bench.profile;

import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.kernel.EmbeddingKernels;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.util.Locale;

/**
 * One call of a kernel.
 *
 * @param name family and kernel, and the function that it computes or the sizes m × n × k of its product
 * @param bytes what it moves if no operand is in a cache: each tensor once, and each result twice, because a cache line is read
 *     before it is written
 * @param flops the floating-point operations of a matrix product, 2mnk, and 0 for other kernels
 */
record Call(String name, long bytes, double flops) {

    /**
     * A call of a method of a family of kernels. Results are the last tensor and all gradient buffers; of an optimizer step, everything
     * but the gradient; of embeddings, the rows, without the table.
     */
    static Call of(Class<?> family, String kernel, Object[] arguments) {
        StringBuilder name = new StringBuilder(family.getSimpleName().replace("Kernels", ""));
        name.append('.').append(kernel);
        long bytes = 0;
        long last = 0;
        for (Object argument : arguments) {
            bytes += bytes(argument);
            if (argument instanceof Tensor tensor) {
                last = tensor.byteSize();
            } else if (argument instanceof ElementwiseKernels.Unary || argument instanceof ElementwiseKernels.Binary) {
                name.append(' ').append(argument.toString().toLowerCase(Locale.ROOT));
            }
        }
        if (bytes == 0) {
            return new Call(name.toString(), 0, 0);
        } else if (family == GemmKernels.class) {
            return product(arguments, bytes + last);
        } else if (family == EmbeddingKernels.class) {
            bytes = 3 * bytes(arguments[kernel.equals("gather") ? 2 : 1]);
        } else if (family == OptimizerStepKernels.class) {
            bytes = 2 * bytes - bytes(arguments[1]);
        } else {
            bytes += last;
        }
        return new Call(name.toString(), bytes, 0);
    }

    /** The arguments are those of {@link GemmKernels#matmul}. */
    private static Call product(Object[] arguments, long bytes) {
        Shape a = ((Tensor) arguments[0]).shape();
        boolean transposeA = (boolean) arguments[1];
        boolean transposeB = (boolean) arguments[3];
        Shape c = ((Tensor) (arguments[4] instanceof Tensor out ? out : arguments[5])).shape();
        long k = a.get(transposeA ? -2 : -1);
        String name = "Gemm.matmul " + c.get(-2) + " × " + c.get(-1) + " × " + k + ", " + (transposeA ? "T" : "N")
                + (transposeB ? "T" : "N");
        return new Call(name, bytes, 2.0 * c.size() * k);
    }

    private static long bytes(Object argument) {
        return switch (argument) {
            case Tensor tensor -> tensor.byteSize();
            case GradientBuffer buffer -> 2 * buffer.gradient().byteSize();
            case Iterable<?> several -> {
                long sum = 0;
                for (Object one : several) {
                    sum += bytes(one);
                }
                yield sum;
            }
            case null, default -> 0;
        };
    }
}
