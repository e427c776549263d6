package io.gradus.optim;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.OptimizerStepKernels;
import java.util.List;

/**
 * Stochastic gradient descent, optionally with momentum (Polyak 1964) or Nesterov momentum (Sutskever et al. 2013), both in
 * PyTorch's form, in which the learning rate multiplies the buffer.
 *
 * <pre>
 *   g = gradient + λθ
 *   b = μb + (1 − dampening)·g        at the first step b = g
 *   d = b, or g + μb with Nesterov    without momentum d = g
 *   θ = θ − η·d
 * </pre>
 *
 * η is the learning rate, μ the momentum, and λ the group's weight decay. State: with momentum, {@code momentum_buffer} (b)
 * takes as much memory as the parameters.
 */
public final class Sgd extends Optimizer {
    private final Settings settings;

    /**
     * The constants of the method.
     *
     * @param momentum μ, at least 0 and less than 1; 0 for none
     * @param dampening the fraction of the gradient that does not enter the buffer, from 0 to 1
     * @param nesterov whether to use Nesterov momentum, which requires a momentum above 0 and a dampening of 0
     */
    public record Settings(double momentum, double dampening, boolean nesterov) {
        /** No momentum. */
        public static final Settings PLAIN = new Settings(0, 0, false);

        /**
         * @throws IllegalArgumentException if a number is out of range, or {@code nesterov} is set without momentum or with
         *     dampening
         */
        public Settings {
            if (!(momentum >= 0 && momentum < 1)) {
                throw new IllegalArgumentException("Sgd: momentum is " + momentum + "; it must be in [0, 1)");
            }
            if (!(dampening >= 0 && dampening <= 1)) {
                throw new IllegalArgumentException("Sgd: dampening is " + dampening + "; it must be in [0, 1]");
            }
            if (nesterov && (momentum == 0 || dampening != 0)) {
                throw new IllegalArgumentException("Sgd: nesterov needs a momentum above 0 and a dampening of 0, not "
                        + momentum + " and " + dampening);
            }
        }

        /** Momentum without dampening: 0.9 is usual. */
        public static Settings momentum(double momentum) {
            return new Settings(momentum, 0, false);
        }

        /** Nesterov momentum. */
        public static Settings nesterov(double momentum) {
            return new Settings(momentum, 0, true);
        }
    }

    /** Without momentum. */
    public Sgd(List<ParameterGroup> groups, double learningRate) {
        this(groups, learningRate, Settings.PLAIN);
    }

    /**
     * @throws IllegalArgumentException if the learning rate is negative or not finite, a parameter or a name occurs twice, there
     *     is no parameter, or a parameter has a dtype that its device does not compute in
     */
    public Sgd(List<ParameterGroup> groups, double learningRate, Settings settings) {
        super(groups, learningRate, settings.momentum() == 0 ? new String[0] : new String[] {"momentum_buffer"});
        this.settings = settings;
    }

    /** The constants of the method. */
    public Settings settings() {
        return settings;
    }

    @Override
    public Sharding sharding() {
        return Sharding.RANGES;
    }

    @Override
    protected void update(ParameterStep step) {
        OptimizerStepKernels.Sgd constants = new OptimizerStepKernels.Sgd(
                step.learningRate(),
                settings.momentum(),
                settings.dampening(),
                settings.nesterov(),
                step.weightDecay());
        Tensor buffer = settings.momentum() == 0 ? null : step.state("momentum_buffer");
        boolean first = step.number() == 1;
        step.weight()
                .kernels()
                .optimizerSteps()
                .sgd(step.weight(), step.unscaledGradient(), buffer, constants, step.gradientScale(), first);
    }
}
