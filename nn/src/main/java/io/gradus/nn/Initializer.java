package io.gradus.nn;

import io.gradus.core.Philox;
import io.gradus.core.Tensor;

/** Fills a new parameter. */
@FunctionalInterface
public interface Initializer {

    /**
     * @param parameter to be filled
     * @param key a stream of random numbers that no other parameter has
     */
    void fill(Tensor parameter, Philox.Key key);

    static Initializer constant(double value) {
        return (parameter, key) -> parameter.kernels().elementwise().fill(parameter, value);
    }

    static Initializer zeros() {
        return constant(0);
    }

    static Initializer ones() {
        return constant(1);
    }

    /** Normal with mean 0: what Llama and GPT-2 use, with their {@code initializer_range} (0.02). */
    static Initializer normal(double standardDeviation) {
        return (parameter, key) -> parameter.kernels().random().normal(parameter, 0, standardDeviation, key);
    }

    /** Uniform in {@code [−bound, bound)}. */
    static Initializer uniform(double bound) {
        return (parameter, key) -> parameter.kernels().random().uniform(parameter, -bound, bound, key);
    }

    /**
     * Uniform with the variance that keeps activations of ReLU layers at one scale (He et al. 2015, eq. 10): bound
     * {@code √(6 / fan_in)}, fan_in being the last axis of {@code [out, in]}.
     */
    static Initializer kaimingUniform() {
        return (parameter, key) ->
                uniform(Math.sqrt(6.0 / parameter.shape().last())).fill(parameter, key);
    }

    /** Normal with the same variance: standard deviation {@code √(2 / fan_in)}. */
    static Initializer kaimingNormal() {
        return (parameter, key) ->
                normal(Math.sqrt(2.0 / parameter.shape().last())).fill(parameter, key);
    }

    /** Uniform with bound {@code √(6 / (fan_in + fan_out))} (Glorot &amp; Bengio 2010, eq. 16), for {@code [out, in]}. */
    static Initializer xavierUniform() {
        return (parameter, key) -> uniform(Math.sqrt(
                        6.0 / (parameter.shape().get(0) + parameter.shape().last())))
                .fill(parameter, key);
    }

    /** What {@code torch.nn.Linear} does for its weight: uniform with bound {@code 1/√fan_in}. */
    static Initializer fanInUniform() {
        return (parameter, key) ->
                uniform(1 / Math.sqrt(parameter.shape().last())).fill(parameter, key);
    }
}
