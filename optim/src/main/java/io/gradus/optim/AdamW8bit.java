package io.gradus.optim;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.DynamicMap;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.util.List;

/**
 * {@link AdamW} whose moments have 8 bits (Dettmers et al. 2022, 8-bit optimizers via block-wise quantization): a little
 * more than 2 bytes for each weight in place of 8.
 *
 * <p>Each block of 256 elements keeps its largest magnitude in F32, and each element a code of one byte for its part of
 * that, out of 256 numbers that lie close near 0 and wider towards 1 ({@link DynamicMap}). A step decodes a block, does
 * what AdamW does with it, in F32, and codes it again. A single outlier so spoils the precision of its block and not of
 * the tensor. The paper has blocks of 2,048; 256 is what its authors' library came to. Parameters of fewer than 4,096
 * elements keep their moments in F32: there is nothing to gain, and norms and biases are sensitive.
 *
 * <p>State: {@code exp_avg_code} and {@code exp_avg_sq_code} of the parameter's shape in U8, {@code exp_avg_largest} and
 * {@code exp_avg_sq_largest} with a number for each block; for small parameters {@code exp_avg} and {@code exp_avg_sq}.
 */
public final class AdamW8bit extends Optimizer {
    /** Elements from which on moments are coded. */
    public static final long LEAST_CODED = 4096;

    private final Adam.Settings settings;

    /** With {@link Adam.Settings#DEFAULT}. */
    public AdamW8bit(List<ParameterGroup> groups, double learningRate) {
        this(groups, learningRate, Adam.Settings.DEFAULT);
    }

    /**
     * @throws IllegalArgumentException when the rate is negative or not finite, a parameter or a name occurs twice,
     *     there is none, or a parameter is of a dtype that its device does not compute in
     */
    public AdamW8bit(List<ParameterGroup> groups, double learningRate, Adam.Settings settings) {
        super(groups, learningRate, AdamW8bit::buffers);
        this.settings = settings;
    }

    private static List<Buffer> buffers(Tensor value) {
        if (value.size() < LEAST_CODED) {
            return List.of(Buffer.like(value, "exp_avg"), Buffer.like(value, "exp_avg_sq"));
        }
        Shape blocks = Shape.of(OptimizerStepKernels.blocks(value.size()));
        return List.of(
                new Buffer("exp_avg_code", DType.U8, value.shape()),
                new Buffer("exp_avg_largest", value.dtype(), blocks),
                new Buffer("exp_avg_sq_code", DType.U8, value.shape()),
                new Buffer("exp_avg_sq_largest", value.dtype(), blocks));
    }

    public Adam.Settings settings() {
        return settings;
    }

    @Override
    void update(
            ParameterGroup group,
            Tensor parameter,
            Tensor gradient,
            List<Tensor> buffers,
            double gradientScale,
            long step) {
        OptimizerStepKernels.Adam constants = new OptimizerStepKernels.Adam(
                learningRate(group), settings.beta1(), settings.beta2(), settings.epsilon(), group.weightDecay(), true);
        OptimizerStepKernels kernels = parameter.backend().optimizerSteps();
        if (buffers.size() == 2) {
            kernels.adam(parameter, gradient, buffers.get(0), buffers.get(1), constants, gradientScale, step);
        } else {
            kernels.adam8bit(
                    parameter,
                    gradient,
                    buffers.get(0),
                    buffers.get(1),
                    buffers.get(2),
                    buffers.get(3),
                    constants,
                    gradientScale,
                    step);
        }
    }
}
