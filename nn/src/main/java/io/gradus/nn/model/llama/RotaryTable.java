package io.gradus.nn.model.llama;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.RopeLayout;
import io.gradus.core.Scope;
import io.gradus.core.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The cosines and sines of rotary position embedding (Su et al. 2021): pair i of a head of D elements turns by
 * {@code position · θ^(−2i/D)}.
 *
 * @param cos {@code [positions, D/2]}
 * @param sin {@code [positions, D/2]}
 * @param layout which elements make a pair
 */
public record RotaryTable(Tensor cos, Tensor sin, RopeLayout layout) {

    /**
     * How Llama 3.1 stretches the angles to longer contexts than it was pre-trained on: slow pairs turn {@code factor} times
     * slower, fast ones as before, those between are interpolated.
     *
     * @param factor by which the context grew
     * @param lowFreqFactor pairs that turn fewer times than this over the original context count as slow
     * @param highFreqFactor pairs that turn more often than this count as fast
     * @param originalMaxPositionEmbeddings the context of pre-training, in tokens
     */
    public record Llama3Scaling(
            double factor, double lowFreqFactor, double highFreqFactor, double originalMaxPositionEmbeddings) {
        double scale(double frequency) {
            double turns = originalMaxPositionEmbeddings * frequency / (2 * Math.PI);
            if (turns < lowFreqFactor) {
                return frequency / factor;
            }
            if (turns > highFreqFactor) {
                return frequency;
            }
            double smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
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
     * The angles of Llama, whose pairs are split by half.
     *
     * @param positions rows of the table: tokens of context
     * @param headDim D, even
     * @param theta the base, 10,000 in the paper
     * @param scaling or null
     */
    public static RotaryTable of(
            Device device, int positions, int headDim, double theta, @Nullable Llama3Scaling scaling) {
        int pairs = headDim / 2;
        float[] cos = new float[Math.multiplyExact(positions, pairs)];
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
}
