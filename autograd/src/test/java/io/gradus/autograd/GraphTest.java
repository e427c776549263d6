package io.gradus.autograd;

import static io.gradus.autograd.OnReference.constant;
import static io.gradus.autograd.OnReference.parameter;
import static io.gradus.autograd.OnReference.vector;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Drawings of a graph as text and DOT: labels, shapes, names, values, each variable once. */
class GraphTest {

    private static Variable example() {
        Variable w = Variable.parameter("w", vector(1, 2, 3, 4, 5, 6).reshape(2, 3));
        Variable h = constant(1, 2).reshape(1, 2).matmul(w).tanh();
        return h.multiply(h).add(parameter("bias", 1, 1, 1)).sum();
    }

    @Test
    void textDrawsATreeWithSharedVariablesOnce() {
        assertThat(Graph.text(example())).isEqualTo("""
            sum []
            └─ add [1, 3]
               ├─ multiply [1, 3]
               │  ├─ #1 tanh [1, 3]
               │  │  └─ matmul [1, 3]
               │  │     ├─ constant [1, 2]
               │  │     └─ w [2, 3] parameter
               │  └─ #1 above
               └─ bias [3] parameter
            """);
    }

    @Test
    void dotHasANodePerVariableAndAnArrowPerInput() {
        assertThat(Graph.dot(example())).isEqualTo("""
            digraph gradus {
              rankdir=TB;
              node [fontname="sans-serif"];
              n0 [shape=ellipse, label="sum\\n[]"];
              n1 [shape=ellipse, label="add\\n[1, 3]"];
              n2 [shape=ellipse, label="multiply\\n[1, 3]"];
              n3 [shape=box, label="bias\\n[3] parameter"];
              n4 [shape=ellipse, label="tanh\\n[1, 3]"];
              n5 [shape=ellipse, label="matmul\\n[1, 3]"];
              n6 [shape=box, label="constant\\n[1, 2]"];
              n7 [shape=box, label="w\\n[2, 3] parameter"];
              n1 -> n0;
              n2 -> n1;
              n3 -> n1;
              n4 -> n2;
              n4 -> n2;
              n5 -> n4;
              n6 -> n5;
              n7 -> n5;
            }
            """);
    }

    @Test
    void textWithValuesShowsValuesAndGradients() {
        Variable w = Variable.parameter("w", vector(2, -1));
        Variable loss = w.multiply(w).multiply(constant(1, 0.25)).sum();
        Graph.variables(loss).forEach(Variable::retainGrad);
        loss.backward(true);
        assertThat(Graph.text(loss, Graph.Detail.VALUES)).isEqualTo("""
            sum [] = [4.25] grad [1]
            └─ multiply [2] = [4, 0.25] grad [1, 1]
               ├─ multiply [2] = [4, 1] grad [1, 0.25]
               │  ├─ w [2] parameter = [2, -1] grad [4, -0.5]
               │  └─ w [2] parameter = [2, -1] grad [4, -0.5]
               └─ constant [2] = [1, 0.25]
            """);
        assertThat(Graph.dot(loss, Graph.Detail.VALUES))
                .contains("label=\"w\\n[2] parameter\\n= [2, -1]\\ngrad [4, -0.5]\"");
    }

    @Test
    void valuesAreRoundedShortenedAndMarkedIfReleased() {
        Variable many = constant(1.0 / 3, 1e-7, 1234567, Double.NaN, -0.0, 100, 7);
        assertThat(Graph.text(many, Graph.Detail.VALUES))
                .isEqualTo("constant [7] = [0.3333, 1e-07, 1.235e+06, NaN, -0, 100, …]\n");
        Variable x = parameter("x", 2);
        Variable h = x.multiply(x);
        h.sum().backwardAndRelease();
        assertThat(Graph.text(h, Graph.Detail.VALUES)).isEqualTo("multiply [1] (graph freed) = (released)\n");
    }

    @Test
    void dotEscapesNames() {
        Variable odd = parameter("a\"]; \\ evil\nn0 -> n0", 1);
        assertThat(Graph.dot(odd)).contains("label=\"a\\\"]; \\\\ evil\\nn0 -> n0\\n[1] parameter\"");
    }

    @Test
    void textOfALeafIsOneLine() {
        assertThat(Graph.text(parameter("w", 1))).isEqualTo("w [1] parameter\n");
        Variable frozen = parameter("w", 1);
        frozen.setRequiresGrad(false);
        assertThat(Graph.text(frozen)).isEqualTo("w [1] constant\n");
    }

    @Test
    void textOfAFreedGraphSaysSo() {
        Variable loss = example();
        loss.backward();
        assertThat(Graph.text(loss)).isEqualTo("sum [] (graph freed)\n");
    }

    @Test
    void textOfADeepGraphContinuesAtTheMargin() {
        Variable x = parameter("x", 1);
        Variable y = x;
        for (int i = 0; i < 100_000; i++) {
            y = y.add(x);
        }
        String text = Graph.text(y);
        assertThat(text.lines().count()).isGreaterThan(200_000).isLessThan(220_000);
        assertThat(text.length()).isLessThan(20_000_000);
        assertThat(text.lines()).contains("#1 add [1]", "│  ".repeat(23) + "├─ #1 below");
        assertThat(Graph.dot(y).lines().filter(line -> line.contains("->"))).hasSize(200_000);
    }

    @Test
    void sameGraphGivesTheSameText() {
        assertThat(Graph.text(example())).isEqualTo(Graph.text(example()));
        assertThat(Graph.dot(example())).isEqualTo(Graph.dot(example()));
    }
}
