package io.gradus.optim;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.ReductionKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Sums of squares of tensors, chunk by chunk ({@link ReductionKernels#squaresByChunk}). Processes that each have some chunks of the
 * tensors can exchange these sums and add them in the order in which one process adds them, and so get the same bits.
 *
 * @param byName the sums of each tensor's chunks
 * @param half whether the tensors have 16 bits; the sum of each tensor is then added up by itself
 */
public record SquareSums(Map<String, double[]> byName, boolean half) {
    /** The elements of a chunk. */
    public static final long CHUNK = ReductionKernels.SQUARES_CHUNK;

    /** @param byName in the order in which sums are added */
    public SquareSums {
        byName = new LinkedHashMap<>(byName);
    }

    /** The sums of tensors that this process has. */
    public static SquareSums of(Map<String, Tensor> tensors) {
        Map<String, double[]> sums = new LinkedHashMap<>();
        boolean[] half = new boolean[1];
        tensors.forEach((name, tensor) -> {
            half[0] |= tensor.dtype().isHalf();
            sums.put(
                    name,
                    Precision.compute(tensor, wide -> wide.kernels().reduction().squaresByChunk(wide)));
        });
        return new SquareSums(sums, half[0]);
    }

    /** The sum over all tensors, with the bits of {@link GradientClipping#norm} of the whole tensors on the CPU. */
    public double total() {
        double total = 0;
        for (Map.Entry<String, double[]> tensor : byName.entrySet()) {
            if (half) {
                total += total(tensor.getKey());
            } else {
                for (double chunk : tensor.getValue()) {
                    total += chunk;
                }
            }
        }
        return total;
    }

    /** The sum over one tensor. */
    public double total(String name) {
        return Arrays.stream(byName.getOrDefault(name, new double[0]))
                .sequential()
                .reduce(0, Double::sum);
    }

    /** The names of the tensors with a NaN or an infinity. */
    public List<String> nonFinite() {
        List<String> names = new ArrayList<>(byName.keySet());
        names.removeIf(name -> Double.isFinite(total(name)));
        return names;
    }
}
