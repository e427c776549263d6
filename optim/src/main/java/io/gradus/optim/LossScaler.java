package io.gradus.optim;

import io.gradus.autograd.Variable;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleUnaryOperator;

/**
 * Dynamic loss scaling (Micikevicius et al. 2018, section 3.2, with the rule of PyTorch's {@code torch.amp.GradScaler}), for
 * gradients in F16, of which those below 6·10⁻⁸ are zero. The loss is multiplied by a scale, so all gradients are, and the
 * step divides by it. When a gradient is too large for F16 (65,504) that step is skipped and the scale becomes smaller; after
 * many good steps it is tried larger. BF16 has the range of F32 and needs none of this.
 *
 * <pre>{@code
 * optimizer.zeroGrad();
 * scaler.scale(loss(batch)).backward();
 * scaler.step(optimizer, clipping::factor);
 * }</pre>
 *
 * Steps inside the backward pass cannot be skipped any more, so the two do not go together.
 */
public final class LossScaler {
    /** A scale so small says that it is not the scale: {@code 65536·0.5³⁶}. */
    private static final double HOPELESS = 0x1p-20;

    private final Settings settings;
    private double scale;
    private int goodSteps;
    private long skipped;

    /**
     * The constants of the rule.
     *
     * @param start the first scale
     * @param growth what it is multiplied by after {@code interval} good steps on end, above 1
     * @param backoff what it is multiplied by when a step was skipped, between 0 and 1
     * @param interval at least 1
     */
    public record Settings(double start, double growth, double backoff, int interval) {
        /** 65536, 2, 0.5 and 2000, as in PyTorch. */
        public static final Settings DEFAULT = new Settings(65536, 2, 0.5, 2000);

        /** @throws IllegalArgumentException when a number is out of its range */
        public Settings {
            if (!(start > 0) || Double.isInfinite(start)) {
                throw new IllegalArgumentException("loss scale: it starts at " + start + "; it must be above 0");
            }
            if (!(growth > 1) || Double.isInfinite(growth) || !(backoff > 0 && backoff < 1)) {
                throw new IllegalArgumentException("loss scale: growth and backoff are " + growth + " and " + backoff
                        + "; they must be above 1, and between 0 and 1");
            }
            if (interval < 1) {
                throw new IllegalArgumentException(
                        "loss scale: it grows after " + interval + " steps; that must be at least 1");
            }
        }
    }

    /**
     * What must be remembered for a run to go on as if it had not stopped.
     *
     * @param goodSteps since the scale last changed
     * @param skipped steps in all
     */
    public record State(double scale, int goodSteps, long skipped) {
        /** @throws IllegalArgumentException when a number cannot be */
        public State {
            if (!(scale > 0) || Double.isInfinite(scale) || goodSteps < 0 || skipped < 0) {
                throw new IllegalArgumentException("loss scale: there is no state of scale " + scale + ", " + goodSteps
                        + " good and " + skipped + " skipped steps");
            }
        }
    }

    /**
     * What a step came to.
     *
     * @param stepped whether it was made; if not, a gradient was not finite
     * @param norm of all gradients as one vector, as of the loss without its scale; not finite when the step was skipped
     */
    public record StepResult(boolean stepped, double norm) {}

    /** With {@link Settings#DEFAULT}. */
    public LossScaler() {
        this(Settings.DEFAULT);
    }

    public LossScaler(Settings settings) {
        this.settings = settings;
        this.scale = settings.start();
    }

    /** What the loss is multiplied by now. */
    public double scale() {
        return scale;
    }

    /** The loss times the scale, to run backwards from. */
    public Variable scale(Variable loss) {
        return loss.multiply(scale);
    }

    /** How many steps were skipped so far. */
    public long skipped() {
        return skipped;
    }

    /**
     * Makes a step if all gradients are finite, and sets the scale for the next.
     *
     * @param factor from the gradients' norm to what they are multiplied by, such as {@link GradientClipping#factor}; both
     *     as if there were no scale
     * @throws ArithmeticException when so many steps were skipped that the scale cannot be the cause; names the parameters
     */
    public StepResult step(Optimizer optimizer, DoubleUnaryOperator factor) {
        double norm = Math.sqrt(GradientClipping.sumOfSquares(optimizer.parameters().stream()
                        .filter(parameter -> parameter.requiresGrad() && parameter.grad() != null)
                        .map(parameter -> Objects.requireNonNull(parameter.grad()))
                        .toList()))
                / scale;
        if (Double.isFinite(norm)) {
            optimizer.step(factor.applyAsDouble(norm) / scale);
            grow();
            return new StepResult(true, norm);
        }
        skipped++;
        goodSteps = 0;
        scale *= settings.backoff();
        if (scale < HOPELESS) {
            List<String> names = GradientClipping.nonFinite(optimizer.parameters());
            throw new ArithmeticException("loss scale: " + skipped + " steps were skipped, and at a scale of " + scale
                    + " the gradient of " + Names.few(names)
                    + " is still not finite; are the weights? A lower learning rate or BF16 often helps");
        }
        return new StepResult(false, norm);
    }

    private void grow() {
        goodSteps++;
        if (goodSteps == settings.interval()) {
            goodSteps = 0;
            if (scale * settings.growth() <= Float.MAX_VALUE) {
                scale *= settings.growth();
            }
        }
    }

    public State state() {
        return new State(scale, goodSteps, skipped);
    }

    /** Goes on from there. */
    public void load(State state) {
        scale = state.scale();
        goodSteps = state.goodSteps();
        skipped = state.skipped();
    }
}
