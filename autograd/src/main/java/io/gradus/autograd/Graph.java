package io.gradus.autograd;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Drawings of how a variable was made, as text and for Graphviz. Only recorded history is drawn: what was computed from
 * constants, or in {@link Autograd#noGrad}, is a constant here. The same graph always gives the same text.
 */
public final class Graph {
    /** From this depth on a subtree is drawn below, at the margin, so that the text of a deep graph is not mostly spaces. */
    private static final int DEEPEST = 24;

    private Graph() {}

    /**
     * A tree, the result first and what it was made from below it. What is read in several places is drawn once, and
     * referred to by its number elsewhere.
     *
     * <pre>
     * sum []
     * └─ multiply [3]
     *    ├─ #1 tanh [3]
     *    │  └─ w [3] parameter
     *    └─ #1 above
     * </pre>
     */
    public static String text(Variable root) {
        return new Text(root).draw();
    }

    /** A digraph in Graphviz's DOT language, with an arrow from each input to what was made from it. */
    public static String dot(Variable root) {
        List<Variable> variables = new ArrayList<>(readers(root).keySet());
        Map<Variable, Integer> numbers = new IdentityHashMap<>();
        StringBuilder text = new StringBuilder("digraph gradus {\n  rankdir=TB;\n  node [fontname=\"sans-serif\"];\n");
        for (Variable variable : variables) {
            numbers.put(variable, numbers.size());
            String look = variable.isLeaf() ? "box" : "ellipse";
            text.append("  n%d [shape=%s, label=\"%s\"];\n"
                    .formatted(numbers.get(variable), look, escape(describe(variable, "\n"))));
        }
        for (Variable variable : variables) {
            for (Variable input : inputs(variable)) {
                text.append("  n%d -> n%d;\n".formatted(numbers.get(input), numbers.get(variable)));
            }
        }
        return text.append("}\n").toString();
    }

    /** A string between Graphviz's double quotes, which a backslash escapes. */
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
    private static String describe(Variable variable, String separator) {
        Node node = variable.node();
        if (node != null) {
            return node.label() + separator + variable.shape() + (node.isFreed() ? " (graph freed)" : "");
        }
        String kind = variable.requiresGrad() ? "parameter" : "constant";
        String name = variable.name();
        return name == null ? kind + separator + variable.shape() : name + separator + variable.shape() + " " + kind;
    }

    /** Every variable that leads to the root, the root first, with the number of places where it is read. */
    private static Map<Variable, Integer> readers(Variable root) {
        Map<Variable, Integer> readers = new LinkedHashMap<>();
        Deque<Variable> open = new ArrayDeque<>(List.of(root));
        readers.put(root, 0);
        while (!open.isEmpty()) {
            for (Variable input : inputs(open.remove())) {
                if (readers.merge(input, 1, Integer::sum) == 1) {
                    open.add(input);
                }
            }
        }
        return readers;
    }

    /** One drawing. */
    private static final class Text {
        private final Variable root;
        private final Map<Variable, Integer> readers;
        /** The numbers of those drawn, or promised to be drawn below, that are referred to elsewhere. */
        private final Map<Variable, Integer> numbers = new IdentityHashMap<>();

        private final Deque<Variable> below = new ArrayDeque<>();
        private final Deque<Line> open = new ArrayDeque<>();
        private final StringBuilder text = new StringBuilder();

        Text(Variable root) {
            this.root = root;
            this.readers = readers(root);
        }

        /** What is still to be drawn: a variable, what stands left of it, and what will stand left of its inputs. */
        private record Line(Variable variable, String left, String leftOfInputs, int depth) {}

        String draw() {
            below.add(root);
            while (!below.isEmpty()) {
                Variable start = below.remove();
                drawWithInputs(new Line(start, "", "", 0), numbers.get(start));
                while (!open.isEmpty()) {
                    draw(open.pop());
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
            boolean deep = line.depth == DEEPEST && !inputs(line.variable).isEmpty();
            if (deep || readers.get(line.variable) > 1 && !line.variable.isLeaf()) {
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
            text.append(describe(line.variable, " ")).append('\n');
            List<Variable> inputs = inputs(line.variable);
            for (int i = inputs.size() - 1; i >= 0; i--) { // the first on top of the stack
                boolean last = i == inputs.size() - 1;
                open.push(new Line(
                        inputs.get(i),
                        line.leftOfInputs + (last ? "└─ " : "├─ "),
                        line.leftOfInputs + (last ? "   " : "│  "),
                        line.depth + 1));
            }
        }
    }
}
