package io.gradus.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Reverse-mode automatic differentiation of scalars, complete in the nested class {@link Value}. It differentiates one neuron,
 * prints every step with its gradient, and then trains a small network on XOR.
 *
 * <p>{@code ./gradus example ScalarAutograd [FILE.svg | FILE.dot]} also draws the neuron's graph. The engine of Gradus, {@code BackwardPass}, is
 * the same algorithm on tensors.
 */
public final class ScalarAutograd {
    private ScalarAutograd() {}

    /** A number that remembers how it was computed. */
    public static final class Value {
        /** An input of an operation, and the derivative of the operation's result with respect to that input. */
        record Edge(Value input, double derivative) {}

        final String label;
        final List<Edge> edges;
        double data;
        double grad;

        private Value(String label, double data, Edge... edges) {
            this.label = label;
            this.data = data;
            this.edges = List.of(edges);
        }

        /** A leaf: an input or a parameter. Its gradients accumulate over backward passes, as in PyTorch. */
        public static Value leaf(String name, double data) {
            return new Value(name, data);
        }

        public double data() {
            return data;
        }

        /** The derivative of the last value on which {@link #backward()} was called, with respect to this one. */
        public double grad() {
            return grad;
        }

        public Value plus(Value other) {
            return new Value("+", data + other.data, new Edge(this, 1), new Edge(other, 1));
        }

        public Value times(Value other) {
            return new Value("×", data * other.data, new Edge(this, other.data), new Edge(other, data));
        }

        public Value pow(double exponent) {
            double slope = exponent * Math.pow(data, exponent - 1);
            return new Value("^" + exponent, Math.pow(data, exponent), new Edge(this, slope));
        }

        public Value exp() {
            double y = Math.exp(data);
            return new Value("exp", y, new Edge(this, y)); // the derivative of eˣ is eˣ
        }

        public Value log() {
            return new Value("log", Math.log(data), new Edge(this, 1 / data));
        }

        public Value tanh() {
            double y = Math.tanh(data);
            return new Value("tanh", y, new Edge(this, 1 - y * y));
        }

        public Value relu() {
            return new Value("relu", Math.max(data, 0), new Edge(this, data > 0 ? 1 : 0));
        }

        public Value minus(Value other) {
            return plus(other.times(leaf("-1", -1)));
        }

        public Value dividedBy(Value other) {
            return times(other.pow(-1));
        }

        /** Computes the derivative of this value with respect to everything it was computed from. */
        public void backward() {
            List<Value> order = computationOrder();
            order.stream().filter(value -> !value.edges.isEmpty()).forEach(value -> value.grad = 0);
            grad += 1;
            for (Value value : order.reversed()) {
                for (Edge edge : value.edges) {
                    edge.input.grad += edge.derivative * value.grad; // the chain rule
                }
            }
        }

        /** This value and everything it was computed from, inputs before results. */
        List<Value> computationOrder() {
            List<Value> order = new ArrayList<>();
            visit(order, new HashSet<>());
            return order;
        }

        private void visit(List<Value> order, Set<Value> visited) {
            if (visited.add(this)) {
                edges.forEach(edge -> edge.input.visit(order, visited));
                order.add(this);
            }
        }
    }

    public static void main(String[] args) throws IOException {
        Value y = neuron();
        y.backward();
        System.out.println("one neuron, y = tanh(w1·x1 + w2·x2 + b), every step with its gradient:");
        System.out.println(ScalarGraph.text(y));
        if (args.length > 0) {
            String drawing = args[0].endsWith(".dot") ? ScalarGraph.dot(y) : ScalarGraph.svg(y);
            Files.writeString(Path.of(args[0]), drawing);
            System.out.println("graph written to " + args[0]);
        }

        System.out.println("a 2-3-1 network learns XOR by gradient descent:");
        Network network = new Network();
        for (int step = 0; step <= 200; step++) {
            network.parameters.forEach(parameter -> parameter.grad = 0);
            Value loss = network.loss();
            loss.backward();
            if (step % 50 == 0) {
                System.out.printf(Locale.ROOT, "step %3d  loss %.5f%n", step, loss.data);
            }
            network.parameters.forEach(parameter -> parameter.data -= 0.2 * parameter.grad);
        }
        for (double[] row : Network.XOR) {
            double output = network.forward(row[0], row[1]).data;
            System.out.printf(Locale.ROOT, "%+.0f xor %+.0f = %+.3f  (target %+.0f)%n", row[0], row[1], output, row[2]);
        }
    }

    /** The neuron of {@link Backpropagation}: {@code tanh(w₁x₁ + w₂x₂ + b)}. */
    static Value neuron() {
        Value x1 = Value.leaf("x1", 2);
        Value x2 = Value.leaf("x2", 0.5);
        Value w1 = Value.leaf("w1", -3);
        Value w2 = Value.leaf("w2", 1);
        Value b = Value.leaf("b", 6);
        return w1.times(x1).plus(w2.times(x2)).plus(b).tanh();
    }

    /** A multi-layer perceptron of three hidden neurons and one output, with tanh after each. */
    static final class Network {
        /** Two inputs and the target, with −1 for false and 1 for true. */
        static final double[][] XOR = {{-1, -1, -1}, {-1, 1, 1}, {1, -1, 1}, {1, 1, -1}};

        /** For each hidden neuron the weights of x₁ and x₂, the bias, and its weight in the output; then the output's bias. */
        private static final double[] START = {
            0.8, -0.5, 0.1, 0.7, //
            -0.6, 0.9, -0.2, -0.4, //
            0.3, 0.7, 0.5, 0.6, //
            0
        };

        final List<Value> parameters = new ArrayList<>();

        Network() {
            for (double start : START) {
                parameters.add(Value.leaf("p" + parameters.size(), start));
            }
        }

        Value forward(double x1, double x2) {
            Value output = parameters.getLast();
            for (int hidden = 0; hidden < 12; hidden += 4) {
                Value sum = parameters.get(hidden).times(Value.leaf("x1", x1));
                sum = sum.plus(parameters.get(hidden + 1).times(Value.leaf("x2", x2)));
                Value activation = sum.plus(parameters.get(hidden + 2)).tanh();
                output = output.plus(parameters.get(hidden + 3).times(activation));
            }
            return output.tanh();
        }

        /** The mean squared error over the four rows of {@link #XOR}. */
        Value loss() {
            Value sum = Value.leaf("0", 0);
            for (double[] row : XOR) {
                Value error = forward(row[0], row[1]).minus(Value.leaf("target", row[2]));
                sum = sum.plus(error.pow(2));
            }
            return sum.dividedBy(Value.leaf("4", 4));
        }
    }
}
