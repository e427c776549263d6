package io.gradus.core.reference;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.AdamStep;
import io.gradus.core.kernel.DynamicMap;
import io.gradus.core.kernel.OptimizerStepKernels;
import org.jspecify.annotations.Nullable;

/** The algorithms as published, one element at a time. */
final class OptimizerSteps implements OptimizerStepKernels {

    @Override
    public void sgd(
            Tensor parameter,
            Tensor gradient,
            @Nullable Tensor buffer,
            Sgd settings,
            double gradientScale,
            boolean first) {
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
    public void adam(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, AdamStep step) {
        Elements weights = Elements.of(parameter);
        Elements gradients = Elements.of(gradient);
        Elements firstMoments = Elements.of(firstMoment);
        Elements secondMoments = Elements.of(secondMoment);
        double correction1 = 1 - Math.pow(step.beta1(), step.step());
        double correction2 = 1 - Math.pow(step.beta2(), step.step());
        for (long i = 0; i < parameter.size(); i++) {
            double weight = weights.get(i);
            double g = step.gradientScale() * gradients.get(i);
            if (step.decoupled()) {
                weight -= step.learningRate() * step.weightDecay() * weight;
            } else {
                g += step.weightDecay() * weight;
            }
            double m = step.beta1() * firstMoments.get(i) + (1 - step.beta1()) * g;
            double v = step.beta2() * secondMoments.get(i) + (1 - step.beta2()) * g * g;
            firstMoments.set(i, m);
            secondMoments.set(i, v);
            double update = m / correction1 / (Math.sqrt(v / correction2) + step.epsilon());
            weights.set(i, weight - step.learningRate() * update);
        }
    }

    @Override
    public void proximalStep(Tensor parameter, Tensor anchor, @Nullable Tensor importance, double strength) {
        Elements weights = Elements.of(parameter);
        Elements anchors = Elements.of(anchor);
        for (long i = 0; i < parameter.size(); i++) {
            double force =
                    importance == null ? strength : pull(Elements.of(importance).get(i), strength);
            if (force != 0) {
                weights.set(i, anchors.get(i) + (weights.get(i) - anchors.get(i)) / (1 + force));
            }
        }
    }

    private static double pull(double importance, double strength) {
        return importance == 0 ? 0 : importance * strength;
    }

    @Override
    public void adafactor(
            Tensor parameter,
            Tensor gradient,
            Tensor variance,
            @Nullable Tensor columnVariance,
            Adafactor settings,
            double gradientScale,
            long step) {
        Elements weights = Elements.of(parameter);
        double[] g = gradient.toDoubles();
        for (int i = 0; i < g.length; i++) {
            g[i] *= gradientScale;
        }
        double keep = 1 - Math.pow(step, settings.beta2Decay());
        double[] estimate;
        if (columnVariance == null) {
            estimate = new double[g.length];
            for (int i = 0; i < g.length; i++) {
                estimate[i] = blend(Elements.of(variance), i, keep, g[i] * g[i]);
            }
        } else {
            estimate = factored(g, parameter.shape(), variance, columnVariance, keep, settings.epsilon1());
        }
        double epsilon1 = settings.epsilon1();
        double[] update = new double[g.length];
        for (int i = 0; i < g.length; i++) {
            update[i] = g[i] / Math.sqrt(Math.max(estimate[i], epsilon1 * epsilon1));
        }
        double rate = settings.learningRate();
        if (settings.relative()) {
            double size = Math.max(settings.epsilon2(), rms(parameter.toDoubles()));
            rate = size * Math.min(rate, 1 / Math.sqrt(step));
        }
        rate /= Math.max(1, rms(update) / settings.clippingThreshold());
        double decay = settings.learningRate() * settings.weightDecay();
        for (int i = 0; i < g.length; i++) {
            double weight = weights.get(i);
            weights.set(i, weight - decay * weight - rate * update[i]);
        }
    }

    /** Updates the row and column means, and returns the variance that they estimate for each element. */
    private static double[] factored(
            double[] g, Shape shape, Tensor rowVariance, Tensor columnVariance, double keep, double epsilon) {
        Elements rows = Elements.of(rowVariance);
        Elements columns = Elements.of(columnVariance);
        int m = (int) shape.get(shape.rank() - 1);
        int n = (int) shape.get(shape.rank() - 2);
        double[] estimate = new double[g.length];
        for (int matrix = 0; matrix * n * m < g.length; matrix++) {
            int at = matrix * n * m;
            double[] rowMeans = new double[n];
            double[] columnMeans = new double[m];
            for (int i = 0; i < n * m; i++) {
                double square = g[at + i] * g[at + i];
                rowMeans[i / m] += square / m;
                columnMeans[i % m] += square / n;
            }
            double mean = 0;
            for (int i = 0; i < n; i++) {
                rowMeans[i] = blend(rows, (long) matrix * n + i, keep, rowMeans[i]);
                mean += rowMeans[i] / n;
            }
            for (int i = 0; i < m; i++) {
                columnMeans[i] = blend(columns, (long) matrix * m + i, keep, columnMeans[i]);
            }
            for (int i = 0; i < n * m; i++) {
                estimate[at + i] = rowMeans[i / m] * columnMeans[i % m] / Math.max(mean, epsilon);
            }
        }
        return estimate;
    }

    private static double blend(Elements average, long i, double keep, double value) {
        double blended = keep * average.get(i) + (1 - keep) * value;
        average.set(i, blended);
        return blended;
    }

    private static double rms(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value * value;
        }
        return Math.sqrt(sum / values.length);
    }

    @Override
    public void adam8bit(
            Tensor parameter,
            Tensor gradient,
            Tensor firstCodes,
            Tensor firstLargest,
            Tensor secondCodes,
            Tensor secondLargest,
            AdamStep step) {
        Tensor firstMoment = decoded(DynamicMap.SIGNED, firstCodes, firstLargest);
        Tensor secondMoment = decoded(DynamicMap.UNSIGNED, secondCodes, secondLargest);
        adam(parameter, gradient, firstMoment, secondMoment, step);
        encode(DynamicMap.SIGNED, firstMoment, firstCodes, firstLargest);
        encode(DynamicMap.UNSIGNED, secondMoment, secondCodes, secondLargest);
    }

    private static Tensor decoded(DynamicMap map, Tensor codes, Tensor largest) {
        double[] moments = new double[Math.toIntExact(codes.size())];
        for (int i = 0; i < moments.length; i++) {
            int code = Elements.of(codes).getByte(i);
            moments[i] = map.value(code) * Elements.of(largest).get(i / BLOCK);
        }
        return Tensor.of(codes.device(), moments, codes.shape().toArray());
    }

    private static void encode(DynamicMap map, Tensor moment, Tensor codes, Tensor largest) {
        double[] moments = moment.toDoubles();
        for (int block = 0; block < largest.size(); block++) {
            int to = Math.min(moments.length, (block + 1) * BLOCK);
            double most = 0;
            for (int i = block * BLOCK; i < to; i++) {
                most = Math.max(most, Math.abs(moments[i]));
            }
            Elements.of(largest).set(block, most);
            for (int i = block * BLOCK; i < to; i++) {
                Elements.of(codes).setByte(i, nearest(map, most == 0 ? 0 : moments[i] / most));
            }
        }
    }

    /** Finds the nearest number by linear search. */
    private static int nearest(DynamicMap map, double number) {
        int nearest = 0;
        for (int code = 1; code < 256; code++) {
            if (Math.abs(map.value(code) - number) < Math.abs(map.value(nearest) - number)) {
                nearest = code;
            }
        }
        return map == DynamicMap.UNSIGNED && number > 0 ? Math.max(1, nearest) : nearest;
    }
}
