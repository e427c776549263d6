package io.gradus.examples;

import io.gradus.autograd.Graph;
import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import java.util.Locale;

/**
 * Differentiates a neuron with two inputs, {@code y = tanh(w₁x₁ + w₂x₂ + b)}. Prints the graph that the expression records, then
 * the gradient of every leaf next to the one computed by hand. {@link ScalarAutograd} shows how this works inside.
 */
public final class Backpropagation {
    private Backpropagation() {}

    public static void main(String[] args) {
        Variable x1 = scalar("x1", 2);
        Variable x2 = scalar("x2", 0.5f);
        Variable w1 = scalar("w1", -3);
        Variable w2 = scalar("w2", 1);
        Variable b = scalar("b", 6);

        Variable n = w1.multiply(x1).add(w2.multiply(x2)).add(b);
        Variable y = n.tanh();

        System.out.println("y = tanh(w1·x1 + w2·x2 + b) = " + y.item());
        System.out.println();
        Graph.variables(y).forEach(Variable::retainGrad);
        y.backward(true); // keeps the graph, to draw it

        System.out.println("its graph, from the result down to the leaves, with values and gradients:");
        System.out.println(Graph.text(y, Graph.Detail.VALUES));
        System.out.println("the same graph for Graphviz (dot -Tsvg):");
        System.out.println(Graph.dot(y, Graph.Detail.VALUES));

        double slope = 1 - y.item() * y.item(); // tanh'(n) = 1 − tanh²(n)
        System.out.println("gradients         by hand");
        print("dy/dw1", w1, slope * x1.item());
        print("dy/dw2", w2, slope * x2.item());
        print("dy/dx1", x1, slope * w1.item());
        print("dy/dx2", x2, slope * w2.item());
        print("dy/db ", b, slope);
    }

    private static Variable scalar(String name, float value) {
        return Variable.parameter(name, Tensor.of(new float[] {value}));
    }

    private static void print(String title, Variable leaf, double byHand) {
        double gradient = leaf.grad() == null ? 0 : leaf.grad().item();
        System.out.printf(Locale.ROOT, "%s %+.6f  %+.6f%n", title, gradient, byHand);
    }
}
