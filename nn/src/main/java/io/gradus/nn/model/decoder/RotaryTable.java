package io.gradus.nn.model.decoder;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.RopeLayout;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.List;

/**
 * The cosines and sines of rotary position embedding (Su et al. 2021): pair i of the D rotated elements of a head is rotated by the
 * angle {@code position · θ^(−2i/D)}.
 *
 * @param cos {@code [positions, D/2]}
 * @param sin {@code [positions, D/2]}
 * @param layout which two elements of a head form a pair
 */
public record RotaryTable(Tensor cos, Tensor sin, RopeLayout layout) {

    /**
     * Rotates the pairs of every head by the angles of its position. Elements after the first D are not changed.
     *
     * @param x {@code [B, T, H, head_dim]}
     * @param positions I32 {@code [B, T]}
     */
    public Variable rotate(Variable x, Tensor positions) {
        long dims = 2 * cos.shape().get(1);
        long length = x.shape().last();
        if (dims == length) {
            return x.rotary(cos, sin, positions, layout);
        }
        List<Variable> parts = x.split(-1, dims, length - dims);
        return Variable.concat(3, List.of(parts.getFirst().rotary(cos, sin, positions, layout), parts.getLast()));
    }

    /**
     * The table of a model in which element i of a head is paired with element {@code i + D/2}, as in Llama.
     *
     * @param positions the number of rows
     */
    public static RotaryTable of(Device device, int positions, Rope rope) {
        return of(device, positions, rope, positions);
    }

    /** The table for a text of a length in tokens, which with some scalings determines the angles. */
    static RotaryTable of(Device device, int positions, Rope rope, long length) {
        int pairs = rope.pairs();
        Shape shape = Shape.of(positions, pairs);
        if (!device.backend().hasElements()) {
            return Scope.outside(
                    () -> new RotaryTable(empty(device, shape), empty(device, shape), RopeLayout.HALF_SPLIT));
        }
        float[] cos = new float[Math.toIntExact(shape.size())];
        float[] sin = new float[cos.length];
        RopeScaling scaling = rope.scaling();
        double[] frequencies = scaling == null
                ? RopeScaling.unscaled(rope.theta(), rope.dims())
                : scaling.frequencies(rope.theta(), rope.dims(), length);
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
