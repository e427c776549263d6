package io.gradus.core.reference;

import io.gradus.core.Tensor;
import io.gradus.core.kernel.OptimizerStepKernels;
import org.jspecify.annotations.Nullable;

/** Element by element, as the algorithms are printed. */
final class OptimizerSteps implements OptimizerStepKernels {

    @Override
    public void sgd(
            Tensor parameter,
            Tensor gradient,
            @Nullable Tensor buffer,
            Sgd settings,
            double gradientScale,
            boolean first) {
        Tensor[] state = buffer == null ? new Tensor[0] : new Tensor[] {buffer};
        OptimizerStepKernels.check("sgd", parameter, gradient, state);
        Elements weights = Elements.of(parameter);
        Elements gradients = Elements.of(gradient);
        for (long i = 0; i < parameter.size(); i++) {
            double weight = weights.get(i);
            double g = gradientScale * gradients.get(i) + settings.weightDecay() * weight;
            if (buffer != null) {
                double momentum = settings.momentum();
                double b = first ? g : momentum * Elements.of(buffer).get(i) + (1 - settings.dampening()) * g;
                Elements.of(buffer).set(i, b);
                g = settings.nesterov() ? g + momentum * b : b;
            }
            weights.set(i, weight - settings.learningRate() * g);
        }
    }

    @Override
    public void adam(
            Tensor parameter,
            Tensor gradient,
            Tensor firstMoment,
            Tensor secondMoment,
            Adam settings,
            double gradientScale,
            long step) {
        OptimizerStepKernels.check("adam", parameter, gradient, firstMoment, secondMoment);
        Elements weights = Elements.of(parameter);
        Elements gradients = Elements.of(gradient);
        Elements firstMoments = Elements.of(firstMoment);
        Elements secondMoments = Elements.of(secondMoment);
        double correction1 = 1 - Math.pow(settings.beta1(), step);
        double correction2 = 1 - Math.pow(settings.beta2(), step);
        for (long i = 0; i < parameter.size(); i++) {
            double weight = weights.get(i);
            double g = gradientScale * gradients.get(i);
            if (settings.decoupled()) {
                weight -= settings.learningRate() * settings.weightDecay() * weight;
            } else {
                g += settings.weightDecay() * weight;
            }
            double m = settings.beta1() * firstMoments.get(i) + (1 - settings.beta1()) * g;
            double v = settings.beta2() * secondMoments.get(i) + (1 - settings.beta2()) * g * g;
            firstMoments.set(i, m);
            secondMoments.set(i, v);
            double update = m / correction1 / (Math.sqrt(v / correction2) + settings.epsilon());
            weights.set(i, weight - settings.learningRate() * update);
        }
    }
}
