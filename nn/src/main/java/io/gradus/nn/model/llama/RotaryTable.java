package io.gradus.nn.model.llama;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.RopeLayout;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The cosines and sines of rotary position embedding (Su et al. 2021): pair i of a head of D elements is rotated by the angle
 * {@code position · θ^(−2i/D)}.
 *
 * @param cos {@code [positions, D/2]}
 * @param sin {@code [positions, D/2]}
 * @param layout which two elements of a head form a pair
 */
public record RotaryTable(Tensor cos, Tensor sin, RopeLayout layout) {

    /**
     * Rotates the pairs of every head by the angles of its position.
     *
     * @param x {@code [B, T, H, D]}
     * @param positions I32 {@code [B, T]}
     */
    Variable rotate(Variable x, Tensor positions) {
        return x.rotary(cos, sin, positions, layout);
    }

    /**
     * The table of a Llama, in which element i of a head is paired with element {@code i + D/2}.
     *
     * @param positions the number of rows
     * @param headDim D, an even number
     * @param theta the base θ, 10,000 in the paper
     * @param scaling for contexts longer than that of pre-training, or null
     */
    public static RotaryTable of(
            Device device, int positions, int headDim, double theta, @Nullable RopeScaling scaling) {
        int pairs = headDim / 2;
        Shape shape = Shape.of(positions, pairs);
        if (!device.backend().hasElements()) {
            return Scope.outside(
                    () -> new RotaryTable(empty(device, shape), empty(device, shape), RopeLayout.HALF_SPLIT));
        }
        float[] cos = new float[Math.toIntExact(shape.size())];
        float[] sin = new float[cos.length];
        double[] frequencies =
                scaling == null ? RopeScaling.unscaled(theta, headDim) : scaling.frequencies(theta, headDim);
        double factor = scaling == null ? 1 : scaling.attentionFactor();
        for (int i = 0; i < pairs; i++) {
            for (int position = 0; position < positions; position++) {
                cos[position * pairs + i] = (float) (factor * Math.cos(position * frequencies[i]));
                sin[position * pairs + i] = (float) (factor * Math.sin(position * frequencies[i]));
            }
        }
        return Scope.outside(() -> new RotaryTable(
                Tensor.of(device, cos, positions, pairs),
                Tensor.of(device, sin, positions, pairs),
                RopeLayout.HALF_SPLIT));
    }

    private static Tensor empty(Device device, Shape shape) {
        return Tensor.empty(device, DType.F32, shape, MemoryCategory.ACTIVATIONS);
    }
}
