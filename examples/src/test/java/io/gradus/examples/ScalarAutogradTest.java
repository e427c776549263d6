package io.gradus.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import io.gradus.examples.ScalarAutograd.Network;
import io.gradus.examples.ScalarAutograd.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ScalarAutogradTest {

    @Test
    void gradientsOfProductPlusSquareMatchHandComputation() {
        Value a = Value.leaf("a", 2);
        Value b = Value.leaf("b", -3);

        Value y = a.times(b).plus(a.pow(2)); // ab + a²
        y.backward();

        assertThat(y.data).isEqualTo(-2);
        assertThat(a.grad).isEqualTo(1); // b + 2a
        assertThat(b.grad).isEqualTo(2); // a
    }

    @Test
    void valueUsedTwiceReceivesSumOfBothGradients() {
        Value x = Value.leaf("x", 5);

        x.plus(x).backward();

        assertThat(x.grad).isEqualTo(2);
    }

    @Test
    void sharedIntermediateResultIsPropagatedOnce() {
        Value x = Value.leaf("x", 3);
        Value square = x.pow(2);

        square.times(square).backward(); // x⁴

        assertThat(x.grad).isEqualTo(108); // 4x³
    }

    @Test
    void secondBackwardAddsToLeafGradients() {
        Value x = Value.leaf("x", 3);
        Value y = x.pow(2).times(x);

        y.backward();
        y.backward();

        assertThat(x.grad).isEqualTo(54); // twice 3x²
    }

    @ParameterizedTest(name = "{0}({1})")
    @MethodSource("functions")
    void derivativeOfFunctionMatchesFiniteDifference(String name, double at, UnaryOperator<Value> function) {
        double h = 1e-6;
        Value x = Value.leaf("x", at);

        function.apply(x).backward();

        double above = function.apply(Value.leaf("x", at + h)).data;
        double below = function.apply(Value.leaf("x", at - h)).data;
        assertThat(x.grad).isCloseTo((above - below) / (2 * h), within(1e-8));
    }

    static Stream<Arguments> functions() {
        Value three = Value.leaf("3", 3);
        return Stream.of(
                function("plus", 0.7, x -> x.plus(three)),
                function("minus", 0.7, x -> three.minus(x)),
                function("times", 0.7, x -> x.times(three)),
                function("dividedBy", 0.7, x -> three.dividedBy(x)),
                function("pow", 1.3, x -> x.pow(2.5)),
                function("exp", -0.4, Value::exp),
                function("log", 1.7, Value::log),
                function("tanh", 0.9, Value::tanh),
                function("relu", 0.6, Value::relu),
                function("relu", -0.6, Value::relu));
    }

    private static Arguments function(String name, double at, UnaryOperator<Value> function) {
        return Arguments.of(name, at, function);
    }

    @Test
    void networkGradientsMatchVariable() {
        Network network = new Network();
        Value loss = network.loss();
        loss.backward();

        List<Variable> parameters = network.parameters.stream()
                .map(parameter -> Variable.parameter(parameter.label, Tensor.of(new float[] {(float) parameter.data})))
                .toList();
        Variable sameLoss = loss(parameters);
        sameLoss.backward();

        assertThat(sameLoss.item()).isCloseTo(loss.data, within(1e-6));
        for (int i = 0; i < parameters.size(); i++) {
            double expected = network.parameters.get(i).grad;
            assertThat(parameters.get(i).grad().item())
                    .as("gradient of parameter %d", i)
                    .isCloseTo(expected, within(1e-6));
        }
    }

    /** {@link Network#loss()} written with tensors of one element. */
    private static Variable loss(List<Variable> parameters) {
        List<Variable> squares = new ArrayList<>();
        for (double[] row : Network.XOR) {
            Variable output = parameters.getLast();
            for (int hidden = 0; hidden < 12; hidden += 4) {
                Variable sum = parameters
                        .get(hidden)
                        .multiply(row[0])
                        .add(parameters.get(hidden + 1).multiply(row[1]))
                        .add(parameters.get(hidden + 2));
                output = output.add(parameters.get(hidden + 3).multiply(sum.tanh()));
            }
            squares.add(output.tanh().subtract(row[2]).pow(2).reshape(1));
        }
        return Variable.concat(0, squares).mean();
    }

    @Test
    void textGraphListsEveryStepWithValueAndGradient() {
        Value a = Value.leaf("a", 2);
        Value y = a.times(Value.leaf("b", 0)).tanh();
        y.backward();

        assertThat(ScalarGraph.text(y).lines())
                .satisfiesExactly(
                        line -> assertThat(line).matches("a +value +2\\.0000 +grad +0\\.0000"),
                        line -> assertThat(line).matches("b +value +0\\.0000 +grad +2\\.0000"),
                        line -> assertThat(line).matches("v1 = a × b +value +0\\.0000 +grad +1\\.0000"),
                        line -> assertThat(line).matches("v2 = tanh\\(v1\\) +value +0\\.0000 +grad +1\\.0000"));
    }

    @Test
    void dotGraphShowsValuesAndGradientsAndOneArrowPerInput() {
        Value a = Value.leaf("a", 2);
        Value y = a.times(Value.leaf("b", 3));
        y.backward();

        assertThat(ScalarGraph.dot(y))
                .contains("n0 [label=\"a | value 2.0000 | grad 3.0000\"]")
                .contains("n1 [label=\"b | value 3.0000 | grad 2.0000\"]")
                .contains("n2 [label=\"× | value 6.0000 | grad 1.0000\"]")
                .contains("n0 -> n2;")
                .contains("n1 -> n2;");
    }
}
