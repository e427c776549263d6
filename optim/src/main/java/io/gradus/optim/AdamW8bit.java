package io.gradus.optim;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.DynamicMap;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.util.List;

/**
 * {@link AdamW} with 8-bit moments (Dettmers et al. 2022, 8-bit optimizers via block-wise quantization), which take slightly more
 * than 2 bytes per weight instead of 8.
 *
 * <p>Each block of 256 elements stores its largest magnitude in F32. Each element stores a one-byte code for its quotient by that
 * magnitude, out of 256 values that are denser near 0 ({@link DynamicMap}). A step decodes a block, performs AdamW's step in F32,
 * and encodes the block again. An outlier thereby reduces the precision of its block only. The paper uses blocks of 2,048; the
 * authors' library, bitsandbytes, now uses 256. Parameters with fewer than 4,096 elements keep their moments in F32: they save
 * little memory, and norms and biases are sensitive.
 *
 * <p>State: {@code exp_avg_code} and {@code exp_avg_sq_code} in the parameter's shape in U8, {@code exp_avg_absmax} and
 * {@code exp_avg_sq_absmax} with one number per block; for small parameters {@code exp_avg} and {@code exp_avg_sq}.
 */
public final class AdamW8bit extends Optimizer {
    /** The smallest number of elements of a parameter with 8-bit moments. */
    public static final long MIN_QUANTIZED_SIZE = 4096;

    private final Adam.Settings settings;

    /** With {@link Adam.Settings#DEFAULT}. */
    public AdamW8bit(List<ParameterGroup> groups, double learningRate) {
        this(groups, learningRate, Adam.Settings.DEFAULT);
    }

    /**
     * @throws IllegalArgumentException if the learning rate is negative or not finite, a parameter or a name occurs twice, there
     *     is no parameter, or a parameter has a dtype that its device does not compute in
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

    /** The constants of the method. */
    public Adam.Settings settings() {
        return settings;
    }

    @Override
    public Sharding sharding() {
        return Sharding.RANGES;
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
                        Adam.constants(step, settings, true));
    }
}
