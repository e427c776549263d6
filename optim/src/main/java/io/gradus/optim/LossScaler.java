package io.gradus.optim;

import io.gradus.autograd.Variable;
import io.gradus.core.Names;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;

/**
 * Dynamic loss scaling for F16 gradients, which underflow below 6·10⁻⁸ (Micikevicius et al. 2018, section 3.2, with the rule of
 * PyTorch's {@code torch.amp.GradScaler}). The loss is multiplied by a scale, and with it all gradients; the optimizer step
 * divides by the scale. If a gradient overflows F16 (65,504), the step is skipped and the scale is reduced; after many
 * successful steps it is increased. BF16 has the range of F32 and needs no loss scaling.
 *
 * {@snippet :
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {3}, 1).to(DType.F16));
 * Optimizer optimizer = new AdamW(ParameterGroups.single(List.of(w), 0), 1e-3);
 * GradientClipping clipping = new GradientClipping(1);
 * LossScaler scaler = new LossScaler();
 * optimizer.zeroGrad();
 * scaler.scale(w.multiply(w).sum()).backward();
 * scaler.step(optimizer, clipping::factor);
 * }
 *
 * It cannot be combined with {@link Optimizer#stepInBackward}, whose steps cannot be skipped.
 */
public final class LossScaler {
    /** A scale so small that overflow must have another cause: {@code 65536·0.5³⁶}. */
    private static final double MIN_SCALE = 0x1p-20;

    private final Settings settings;
    private double scale;
    private int goodSteps;
    private long skipped;

    /**
     * The constants of the rule, as in PyTorch.
     *
     * @param initScale the first scale, greater than 0
     * @param growthFactor multiplies the scale after {@code growthInterval} successful steps in a row; greater than 1
     * @param backoffFactor multiplies the scale after a skipped step; between 0 and 1
     * @param growthInterval at least 1
     */
    public record Settings(double initScale, double growthFactor, double backoffFactor, int growthInterval) {
        /** 65536, 2, 0.5 and 2000, as in PyTorch. */
        public static final Settings DEFAULT = new Settings(65536, 2, 0.5, 2000);

        /** @throws IllegalArgumentException if a number is out of range */
        public Settings {
            if (!(initScale > 0) || Double.isInfinite(initScale)) {
                throw new IllegalArgumentException(
                        "loss scale: initScale is " + initScale + "; it must be a number greater than 0");
            }
            if (!(growthFactor > 1) || Double.isInfinite(growthFactor) || !(backoffFactor > 0 && backoffFactor < 1)) {
                throw new IllegalArgumentException("loss scale: growthFactor and backoffFactor are " + growthFactor
                        + " and " + backoffFactor + "; they must be greater than 1, and between 0 and 1");
            }
            if (growthInterval < 1) {
                throw new IllegalArgumentException(
                        "loss scale: growthInterval is " + growthInterval + "; it must be at least 1");
            }
        }
    }

    /**
     * What a resumed run must restore.
     *
     * @param scale the current scale
     * @param goodSteps successful steps since the scale last changed
     * @param skipped skipped steps in total
     */
    public record State(double scale, int goodSteps, long skipped) {
        /** @throws IllegalArgumentException if the scale is not greater than 0, or a number of steps is negative */
        public State {
            if (!(scale > 0) || Double.isInfinite(scale) || goodSteps < 0 || skipped < 0) {
                throw new IllegalArgumentException("loss scale: the state is not valid: scale " + scale + ", "
                        + goodSteps + " good and " + skipped + " skipped steps");
            }
        }
    }

    /**
     * The result of a step.
     *
     * @param stepped false if the step was skipped because a gradient was not finite
     * @param norm the norm of all gradients of the unscaled loss, as one vector; not finite if the step was skipped
     */
    public record StepResult(boolean stepped, double norm) {}

    /** With {@link Settings#DEFAULT}. */
    public LossScaler() {
        this(Settings.DEFAULT);
    }

    public LossScaler(Settings settings) {
        this.settings = settings;
        this.scale = settings.initScale();
    }

    /** The current scale. */
    public double scale() {
        return scale;
    }

    /** The loss times the scale. Call {@code backward()} on the result. */
    public Variable scale(Variable loss) {
        return loss.multiply(scale);
    }

    /** The number of skipped steps. */
    public long skipped() {
        return skipped;
    }

    /**
     * Performs the optimizer's step if all gradients are finite, and updates the scale.
     *
     * @param factor maps the norm of the unscaled gradients to the factor that multiplies them, such as
     *     {@link GradientClipping#factor}
     * @throws ArithmeticException if gradients still overflow after so many skipped steps that the scale cannot be the cause;
     *     names the parameters
     */
    public StepResult step(Optimizer optimizer, DoubleUnaryOperator factor) {
        double squares = GradientClipping.sumOfSquares(optimizer.parameters().stream()
                .filter(parameter -> parameter.requiresGrad() && parameter.grad() != null)
                .map(parameter -> Objects.requireNonNull(parameter.grad()))
                .toList());
        return step(
                squares,
                () -> GradientClipping.nonFinite(optimizer.parameters()),
                norm -> optimizer.step(factor.applyAsDouble(norm) / scale));
    }

    /**
     * {@link #step(Optimizer, DoubleUnaryOperator)} of gradients that are divided among processes.
     *
     * @param squares of all parameters, completed by all processes
     * @param step makes the optimizer's step if all gradients are finite: it receives the norm of the unscaled gradients, and the
     *     gradients must be divided by the scale
     */
    public StepResult step(SquareSums squares, DoubleConsumer step) {
        return step(squares.total(), squares::nonFinite, step);
    }

    private StepResult step(double squares, Supplier<List<String>> nonFinite, DoubleConsumer step) {
        double norm = Math.sqrt(squares) / scale;
        if (Double.isFinite(norm)) {
            step.accept(norm);
            grow();
            return new StepResult(true, norm);
        }
        skipped++;
        goodSteps = 0;
        scale *= settings.backoffFactor();
        if (scale < MIN_SCALE) {
            throw new ArithmeticException("loss scale: " + skipped + " steps were skipped, and at a scale of " + scale
                    + " the gradient of " + Names.few(nonFinite.get())
                    + " is still not finite; check that the weights are finite, and try a lower learning rate or BF16");
        }
        return new StepResult(false, norm);
    }

    private void grow() {
        goodSteps++;
        if (goodSteps == settings.growthInterval()) {
            goodSteps = 0;
            if (scale * settings.growthFactor() <= Float.MAX_VALUE) {
                scale *= settings.growthFactor();
            }
        }
    }

    /** The current state, to be saved. */
    public State state() {
        return new State(scale, goodSteps, skipped);
    }

    /** Restores a saved state. */
    public void load(State state) {
        scale = state.scale();
        goodSteps = state.goodSteps();
        skipped = state.skipped();
    }
}
