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
 * <p>State: {@code exp_avg_code} and {@code exp_avg_sq_code} of the parameter's shape in U8, {@code exp_avg_absmax} and
 * {@code exp_avg_sq_absmax} with a number for each block; for small parameters {@code exp_avg} and {@code exp_avg_sq}.
 */
public final class AdamW8bit extends Optimizer {
    /** Elements from which on moments are coded. */
    public static final long MIN_QUANTIZED_SIZE = 4096;

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
        super(groups, learningRate, AdamW8bit::stateTensors);
        this.settings = settings;
    }

    private static List<StateTensor> stateTensors(Tensor value) {
        if (value.size() < MIN_QUANTIZED_SIZE) {
            return List.of(StateTensor.like(value, "exp_avg"), StateTensor.like(value, "exp_avg_sq"));
        }
        Shape blocks = Shape.of(OptimizerStepKernels.blocks(value.size()));
        return List.of(
                new StateTensor("exp_avg_code", DType.U8, value.shape()),
                new StateTensor("exp_avg_absmax", value.dtype(), blocks),
                new StateTensor("exp_avg_sq_code", DType.U8, value.shape()),
                new StateTensor("exp_avg_sq_absmax", value.dtype(), blocks));
    }

    public Adam.Settings settings() {
        return settings;
    }

    @Override
    protected void update(ParameterStep step) {
        if (step.weight().size() < MIN_QUANTIZED_SIZE) {
            Adam.step(step, settings, true);
            return;
        }
        step.weight()
                .kernels()
                .optimizerSteps()
                .adam8bit(
                        step.weight(),
                        step.unscaledGradient(),
                        step.state("exp_avg_code"),
                        step.state("exp_avg_absmax"),
                        step.state("exp_avg_sq_code"),
                        step.state("exp_avg_sq_absmax"),
                        Adam.constants(step, settings, true),
                        step.gradientScale(),
                        step.number());
    }
}
