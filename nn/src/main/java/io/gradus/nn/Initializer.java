package io.gradus.nn;

import io.gradus.core.Philox;
import io.gradus.core.Tensor;

/** Sets the elements of a new parameter. */
@FunctionalInterface
public interface Initializer {

    /**
     * Sets the elements.
     *
     * @param key selects random numbers that no other parameter uses
     */
    void fill(Tensor parameter, Philox.Key key);

    /** Every element is {@code value}. */
    static Initializer constant(double value) {
        return (parameter, key) -> parameter.kernels().elementwise().fill(parameter, value);
    }

    /** Every element is 0. */
    static Initializer zeros() {
        return constant(0);
    }

    /** Every element is 1. */
    static Initializer ones() {
        return constant(1);
    }

    /** Normal with mean 0. Llama and GPT-2 use it with {@code initializer_range}, usually 0.02. */
    static Initializer normal(double standardDeviation) {
        return (parameter, key) -> parameter.kernels().random().normal(parameter, 0, standardDeviation, key);
    }

    /** Uniform in {@code [−bound, bound)}. */
    static Initializer uniform(double bound) {
        return (parameter, key) -> parameter.kernels().random().uniform(parameter, -bound, bound, key);
    }

    /**
     * Uniform in {@code ±√(6 / fan_in)}, where fan_in is the last dimension of {@code [out, in]}. This variance keeps the scale
     * of activations constant through ReLU layers (He et al. 2015, eq. 10).
     */
    static Initializer kaimingUniform() {
        return (parameter, key) ->
                uniform(Math.sqrt(6.0 / parameter.shape().last())).fill(parameter, key);
    }

    /** Normal with the variance of {@link #kaimingUniform}: the standard deviation is {@code √(2 / fan_in)}. */
    static Initializer kaimingNormal() {
        return (parameter, key) ->
                normal(Math.sqrt(2.0 / parameter.shape().last())).fill(parameter, key);
    }

    /** Uniform in {@code ±√(6 / (fan_in + fan_out))} for {@code [out, in]} (Glorot &amp; Bengio 2010, eq. 16). */
    static Initializer xavierUniform() {
        return (parameter, key) -> uniform(Math.sqrt(
                        6.0 / (parameter.shape().get(0) + parameter.shape().last())))
                .fill(parameter, key);
    }

    /** Uniform in {@code ±1/√fan_in}, the default of {@code torch.nn.Linear}. */
    static Initializer fanInUniform() {
        return (parameter, key) ->
                uniform(1 / Math.sqrt(parameter.shape().last())).fill(parameter, key);
    }
}
