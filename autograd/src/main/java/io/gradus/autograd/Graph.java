package io.gradus.autograd;

import io.gradus.core.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Draws how a variable was computed, as text and for Graphviz. Only recorded history is drawn: the result of operations
 * on constants, or under {@link Autograd#noGrad}, appears as a constant. The same graph always gives the same text.
 *
 * <p>To see gradients too, keep the graph and the gradients of intermediate variables:
 *
 * {@snippet :
 * Variable w = Variable.parameter("w", Tensor.of(new float[] {2}, 1));
 * Variable loss = w.multiply(w).sum();
 * Graph.variables(loss).forEach(Variable::retainGrad);
 * loss.backward(true);
 * System.out.print(Graph.text(loss, Graph.Detail.VALUES));
 * }
 */
public final class Graph {
    /** A subtree at this depth is drawn further down, at the left margin, so that a deep graph is not mostly spaces. */
    private static final int MAX_DEPTH = 24;

    /** How many elements of a tensor are shown. */
    private static final int MAX_ELEMENTS = 6;

    private Graph() {}

    /** What to show of each variable. */
    public enum Detail {
        /** The operation or the name, and the shape. */
        SHAPES,
        /** Also the first elements of the value, and of the gradient if there is one. */
        VALUES
    }

    /** {@link #text(Variable, Detail)} with shapes. */
    public static String text(Variable root) {
        return text(root, Detail.SHAPES);
    }

    /**
     * A tree, with the result at the top and the inputs of each operation below it. A variable that is read several
     * times is drawn once and has a number by which the other places refer to it.
     *
     * <pre>
     * sum []
     * └─ multiply [3]
     *    ├─ #1 tanh [3]
     *    │  └─ w [3] parameter
     *    └─ #1 above
     * </pre>
     */
    public static String text(Variable root, Detail detail) {
        return new Text(root, detail).draw();
    }

    /** {@link #dot(Variable, Detail)} with shapes. */
    public static String dot(Variable root) {
        return dot(root, Detail.SHAPES);
    }

    /** A digraph in Graphviz's DOT language, with an arrow from each input to the result. */
    public static String dot(Variable root, Detail detail) {
        List<Variable> variables = variables(root);
        IdentityHashMap<Variable, Integer> numbers = new IdentityHashMap<>();
        StringBuilder text = new StringBuilder("digraph gradus {\n  rankdir=TB;\n  node [fontname=\"sans-serif\"];\n");
        for (Variable variable : variables) {
            numbers.put(variable, numbers.size());
            String style = variable.isLeaf() ? "box" : "ellipse";
            text.append("  n").append(numbers.get(variable)).append(" [shape=").append(style);
            text.append(", label=\"")
                    .append(escape(describe(variable, detail, "\n")))
                    .append("\"];\n");
        }
        for (Variable variable : variables) {
            for (Variable input : inputs(variable)) {
                text.append("  n").append(numbers.get(input)).append(" -> n");
                text.append(numbers.get(variable)).append(";\n");
            }
        }
        return text.append("}\n").toString();
    }

    /** The root and every variable that it was computed from, the root first. */
    public static List<Variable> variables(Variable root) {
        return List.copyOf(readers(root).keySet());
    }

    /** Escapes a label between the double quotes of Graphviz. */
    private static String escape(String label) {
        return label.replace("\\", "\\\\")
                .replace("\"", "\\\"")
                .replace("\r", "")
                .replace("\n", "\\n");
    }

    private static List<Variable> inputs(Variable variable) {
        Node node = variable.node();
        return node == null ? List.of() : node.inputs();
    }

    /** As {@code matmul [2, 3]} or {@code model.norm.weight [64] parameter}. */
    private static String describe(Variable variable, Detail detail, String separator) {
        List<String> parts = new ArrayList<>();
        Node node = variable.node();
        if (node != null) {
            parts.add(node.label());
            parts.add(variable.shape() + (node.isFreed() ? " (graph freed)" : ""));
        } else {
            String kind = variable.requiresGrad() ? "parameter" : "constant";
            String name = variable.name();
            parts.add(name == null ? kind : name);
            parts.add(variable.shape() + (name == null ? "" : " " + kind));
        }
        if (detail == Detail.VALUES) {
            parts.add("= " + elements(variable.value()));
            Tensor gradient = variable.grad();
            if (gradient != null) {
                parts.add("grad " + elements(gradient));
            }
        }
        return String.join(separator, parts);
    }

    /** As {@code [1, 0.25, -3e-05, …]}. */
    private static String elements(Tensor tensor) {
        long shown = Math.min(tensor.size(), MAX_ELEMENTS);
        double[] first;
        try {
            first = tensor.reshape(tensor.size()).slice(0, shown).toDoubles();
        } catch (IllegalStateException e) {
            return "(released)";
        }
        return Arrays.stream(first)
                .mapToObj(Graph::number)
                .collect(Collectors.joining(", ", "[", shown < tensor.size() ? ", …]" : "]"));
    }

    /** Four significant digits, without trailing zeros. */
    private static String number(double x) {
        if (!Double.isFinite(x)) {
            return Double.toString(x);
        }
        String text = String.format(Locale.ROOT, "%.4g", x);
        return text.contains(".") ? text.replaceFirst("\\.?0*($|e)", "$1") : text;
    }

    /**
     * The root and every variable that it was computed from, the root first, with the number of places that read each.
     */
    private static Map<Variable, Integer> readers(Variable root) {
        Map<Variable, Integer> readers = new LinkedHashMap<>();
        Deque<Variable> queue = new ArrayDeque<>(List.of(root));
        readers.put(root, 0);
        while (!queue.isEmpty()) {
            for (Variable input : inputs(queue.remove())) {
                if (readers.merge(input, 1, Integer::sum) == 1) {
                    queue.add(input);
                }
            }
        }
        return readers;
    }

    /** One drawing. */
    private static final class Text {
        private final Variable root;
        private final Detail detail;
        private final Map<Variable, Integer> readers;
        /** The numbers of the variables that other places refer to. */
        private final IdentityHashMap<Variable, Integer> numbers = new IdentityHashMap<>();

        /** Subtrees that are still to be drawn at the left margin. */
        private final Deque<Variable> below = new ArrayDeque<>();

        private final Deque<Line> stack = new ArrayDeque<>();
        private final StringBuilder text = new StringBuilder();

        Text(Variable root, Detail detail) {
            this.root = root;
            this.detail = detail;
            this.readers = readers(root);
        }

        /**
         * A line still to be drawn.
         *
         * @param left the branches to the left of the variable
         * @param leftOfInputs the branches to the left of its inputs
         */
        private record Line(Variable variable, String left, String leftOfInputs, int depth) {}

        String draw() {
            below.add(root);
            while (!below.isEmpty()) {
                Variable start = below.remove();
                drawWithInputs(new Line(start, "", "", 0), numbers.get(start));
                while (!stack.isEmpty()) {
                    draw(stack.pop());
                }
            }
            return text.toString();
        }

        private void draw(Line line) {
            Integer number = numbers.get(line.variable);
            if (number != null) {
                text.append(line.left).append('#').append(number);
                text.append(below.contains(line.variable) ? " below\n" : " above\n");
                return;
            }
            boolean deep = line.depth == MAX_DEPTH && !inputs(line.variable).isEmpty();
            boolean shared = readers.getOrDefault(line.variable, 0) > 1 && !line.variable.isLeaf();
            if (deep || shared) {
                number = numbers.size() + 1;
                numbers.put(line.variable, number);
            }
            if (deep) {
                below.add(line.variable);
                text.append(line.left).append('#').append(number).append(" below\n");
            } else {
                drawWithInputs(line, number);
            }
        }

        private void drawWithInputs(Line line, @Nullable Integer number) {
            text.append(line.left).append(number == null ? "" : "#" + number + " ");
            text.append(describe(line.variable, detail, " ")).append('\n');
            List<Variable> inputs = inputs(line.variable);
            for (int i = inputs.size() - 1; i >= 0; i--) { // pushed in reverse, so that the first is drawn first
                boolean last = i == inputs.size() - 1;
                stack.push(new Line(
                        inputs.get(i),
                        line.leftOfInputs + (last ? "└─ " : "├─ "),
                        line.leftOfInputs + (last ? "   " : "│  "),
                        line.depth + 1));
            }
        }
    }
}
