package io.gradus.nn;

import io.gradus.autograd.Variable;
import java.util.function.UnaryOperator;

/** Activation functions as layers; {@link #toString} returns PyTorch's name. */
public enum Activation implements Layer {
    RELU("ReLU()", Variable::relu),
    GELU("GELU()", Variable::gelu),
    /** GELU approximated with a hyperbolic tangent. */
    GELU_TANH("GELU(approximate=tanh)", Variable::geluTanh),
    SILU("SiLU()", Variable::silu),
    TANH("Tanh()", Variable::tanh),
    SIGMOID("Sigmoid()", Variable::sigmoid);

    private final String text;
    private final UnaryOperator<Variable> function;

    Activation(String text, UnaryOperator<Variable> function) {
        this.text = text;
        this.function = function;
    }

    @Override
    public Variable forward(Variable x) {
        return function.apply(x);
    }

    @Override
    public String toString() {
        return text;
    }
}
