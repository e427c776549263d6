package io.gradus.core.meta;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.AttentionKernels;
import io.gradus.core.kernel.CastKernels;
import io.gradus.core.kernel.CrossEntropyKernels;
import io.gradus.core.kernel.ElementwiseKernels;
import io.gradus.core.kernel.EmbeddingKernels;
import io.gradus.core.kernel.GemmKernels;
import io.gradus.core.kernel.Kernels;
import io.gradus.core.kernel.LstmKernels;
import io.gradus.core.kernel.MovementKernels;
import io.gradus.core.kernel.NormalizationKernels;
import io.gradus.core.kernel.OptimizerStepKernels;
import io.gradus.core.kernel.RandomKernels;
import io.gradus.core.kernel.ReductionKernels;
import io.gradus.core.kernel.RotaryKernels;
import io.gradus.core.kernel.ScanKernels;
import io.gradus.core.kernel.SoftmaxKernels;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;

/** Kernels that do nothing. Those that return a number return that for tensors of ones. */
final class MetaKernels {
    private MetaKernels() {}

    static Kernels create() {
        return new Kernels(
                nothing(GemmKernels.class),
                nothing(ElementwiseKernels.class),
                nothing(ReductionKernels.class),
                nothing(SoftmaxKernels.class),
                nothing(CrossEntropyKernels.class),
                nothing(NormalizationKernels.class),
                nothing(RotaryKernels.class),
                nothing(AttentionKernels.class),
                nothing(LstmKernels.class),
                nothing(EmbeddingKernels.class),
                nothing(MovementKernels.class),
                nothing(ScanKernels.class),
                nothing(RandomKernels.class),
                nothing(OptimizerStepKernels.class),
                nothing(CastKernels.class));
    }

    private static <T> T nothing(Class<T> family) {
        return family.cast(Proxy.newProxyInstance(
                family.getClassLoader(), new Class<?>[] {family}, (_, method, arguments) -> {
                    use(arguments);
                    return switch (method.getName()) {
                        case "sumOfSquares" -> size((List<?>) arguments[0]);
                        case "squaresByChunk" -> chunks((Tensor) arguments[0]);
                        case "count" -> (int) arguments[1] == 1 ? 0L : ((Tensor) arguments[0]).size();
                        case "adamReads" -> true;
                        default -> null;
                    };
                }));
    }

    /** Asks for the memory of all operands, as other devices do: it may be absent until then. */
    private static void use(Object[] arguments) {
        for (Object argument : arguments) {
            if (argument instanceof Tensor tensor) {
                tensor.storage();
            }
        }
    }

    private static double[] chunks(Tensor x) {
        double[] squares = new double[Math.toIntExact(Math.ceilDiv(x.size(), ReductionKernels.SQUARES_CHUNK))];
        Arrays.setAll(
                squares, i -> Math.min(ReductionKernels.SQUARES_CHUNK, x.size() - i * ReductionKernels.SQUARES_CHUNK));
        return squares;
    }

    private static double size(List<?> tensors) {
        return tensors.stream().mapToDouble(tensor -> ((Tensor) tensor).size()).sum();
    }
}
