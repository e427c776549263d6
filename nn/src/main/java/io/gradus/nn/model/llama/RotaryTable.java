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
     * How Llama 3.1 extends the context beyond that of pre-training: low frequencies are divided by {@code factor}, high ones
     * are unchanged, and those between are interpolated.
     *
     * @param factor the ratio of the new to the original context length
     * @param lowFreqFactor pairs with fewer rotations than this over the original context have a low frequency
     * @param highFreqFactor pairs with more rotations than this have a high frequency
     * @param originalMaxPositionEmbeddings the context length of pre-training, in tokens
     */
    public record Llama3Scaling(
            double factor, double lowFreqFactor, double highFreqFactor, double originalMaxPositionEmbeddings) {
        double scale(double frequency) {
            double rotations = originalMaxPositionEmbeddings * frequency / (2 * Math.PI);
            if (rotations < lowFreqFactor) {
                return frequency / factor;
            }
            if (rotations > highFreqFactor) {
                return frequency;
            }
            double smooth = (rotations - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
            return (1 - smooth) * frequency / factor + smooth * frequency;
        }
    }

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
            Device device, int positions, int headDim, double theta, @Nullable Llama3Scaling scaling) {
        int pairs = headDim / 2;
        Shape shape = Shape.of(positions, pairs);
        if (!device.backend().hasElements()) {
            return Scope.outside(
                    () -> new RotaryTable(empty(device, shape), empty(device, shape), RopeLayout.HALF_SPLIT));
        }
        float[] cos = new float[Math.toIntExact(shape.size())];
        float[] sin = new float[cos.length];
        for (int i = 0; i < pairs; i++) {
            double frequency = Math.pow(theta, -2.0 * i / headDim);
            frequency = scaling == null ? frequency : scaling.scale(frequency);
            for (int position = 0; position < positions; position++) {
                cos[position * pairs + i] = (float) Math.cos(position * frequency);
                sin[position * pairs + i] = (float) Math.sin(position * frequency);
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
