package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import org.junit.jupiter.api.Test;

class SequentialTest {

    @Test
    void appliesLayersInOrderAndNamesParametersByIndex() {
        Linear first = new Linear(3, 5);
        Linear last = new Linear(5, 2);
        Sequential network = new Sequential(first, Variable::tanh, last);
        Variable x = Variable.constant(Given.random(1, 4, 3));
        assertThat(network.forward(x).value().toFloats())
                .isEqualTo(last.forward(first.forward(x).tanh()).value().toFloats());
        assertThat(network.namedParameters().keySet()).containsExactly("0.weight", "0.bias", "2.weight", "2.bias");
    }

    @Test
    void nestedSequentialHasNestedNames() {
        Sequential network = new Sequential(new Sequential(new Linear(2, 2, false)), new Linear(2, 2, false));
        assertThat(network.namedParameters().keySet()).containsExactly("0.0.weight", "1.weight");
        assertThat(network).hasToString("""
            Sequential(
              (0): Sequential(
                (0): Linear(in_features=2, out_features=2, bias=false)
              )
              (1): Linear(in_features=2, out_features=2, bias=false)
            )\
            """);
    }

    @Test
    void trainingModeReachesLayers() {
        Dropout dropout = new Dropout(0.5);
        Sequential network = new Sequential(dropout);
        network.train();
        assertThat(dropout.isTraining()).isTrue();
        Variable x = Variable.constant(Tensor.of(new float[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 10));
        assertThat(network.forward(x).value().toFloats()).containsOnly(0, 2);
    }

    @Test
    void trainsOneStep() {
        WeightSource.manualSeed(3);
        Sequential network = new Sequential(new Linear(2, 4), Activation.RELU, new Linear(4, 1));
        Variable x = Variable.constant(Given.random(1, 8, 2));
        Losses.mseLoss(network.forward(x), Variable.constant(Given.random(2, 8, 1)))
                .backward();
        assertThat(network.parameters())
                .hasSize(4)
                .allSatisfy(parameter -> assertThat(parameter.grad()).isNotNull());
    }
}
