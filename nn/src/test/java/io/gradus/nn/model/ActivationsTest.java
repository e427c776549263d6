package io.gradus.nn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Tensor;
import io.gradus.nn.Activation;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ActivationsTest {
    private static final float[] X = {-9, -0.8f, 0.5f, 2.5f, 11};

    /** Values and derivatives are those of ACT2FN in transformers 5.24, in double precision. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        gelu, gelu_python | 0 -0.1694843189 0.3457312306 2.484475837 11 | 0 -0.01989784363 0.8674951247 1.037611086 1
        gelu_10           | 0 -0.1694843189 0.3457312306 2.484475837 10 | 0 -0.01989784363 0.8674951247 1.037611086 0
        gelu_accurate, gelu_fast, gelu_new | 0 -0.1695683086 0.3457140098 2.484915734 11 | 0 -0.01958373106 0.8673699035 1.037951576 1
        gelu_python_tanh, gelu_pytorch_tanh | 0 -0.1695683086 0.3457140098 2.484915734 11 | 0 -0.01958373106 0.8673699035 1.037951576 1
        hardswish         | 0 -0.2933333333 0.2916666667 2.291666667 11 | 0 0.2333333333 0.6666666667 1.333333333 1
        leaky_relu        | -0.09 -0.008 0.5 2.5 11 | 0.01 0.01 1 1 1
        linear            | -9 -0.8 0.5 2.5 11 | 1 1 1 1 1
        mish              | -0.001110619702 -0.2839632628 0.3752452113 2.471392305 10.99999999 | -0.0009871489779 0.1381823502 0.8864243754 1.04112953 1.000000012
        quick_gelu        | -2.003177987e-06 -0.1631843067 0.3503884366 2.465013835 10.99999992 | -3.186832842e-06 -0.01710585818 0.879221912 1.044718666 1.000000131
        relu              | 0 0 0.5 2.5 11 | 0 0 1 1 1
        relu2             | 0 0 0.25 6.25 121 | 0 0 1 5 22
        relu6             | 0 0 0.5 2.5 6 | 0 0 1 1 0
        sigmoid           | 0.000123394576 0.3100255189 0.6224593312 0.92414182 0.9999832986 | 0.0001233793498 0.2139096965 0.2350037122 0.07010371655 1.670114291e-05
        silu, swish       | -0.001110551184 -0.2480204151 0.3112296656 2.31035455 10.99981628 | -0.0009870195719 0.1388977617 0.7399611873 1.099401111 1.000167011
        tanh              | -0.9999999695 -0.6640367703 0.4621171573 0.9866142982 0.9999999994 | 0 0.5590551677 0.786447733 0.02659222668 0
        """)
    void nameGivesTheFunctionOfTransformers(String names, String values, String derivatives) {
        for (String name : names.split(", ")) {
            Activation activation = Activations.read(new ConfigJson().set("hidden_act", name), "hidden_act", "relu");
            Variable x = Variable.parameter("x", Tensor.of(X, X.length));
            Variable y = activation.forward(x);
            y.sum().backward();
            assertThat(y.value().toDoubles()).as(name).containsExactly(numbers(values), within(2e-6));
            assertThat(x.grad().toDoubles()).as(name).containsExactly(numbers(derivatives), within(2e-6));
            assertThat(Activations.read(new ConfigJson().set("again", Activations.name(activation)), "again", "relu"))
                    .isSameAs(activation);
        }
    }

    private static double[] numbers(String list) {
        return Arrays.stream(list.split(" ")).mapToDouble(Double::parseDouble).toArray();
    }

    @Test
    void missingNameIsTheFallback() {
        assertThat(Activations.read(new ConfigJson(), "hidden_act", "silu")).isSameAs(Activation.SILU);
    }

    /** PReLU and xIELU have parameters; the others are of no known language model. */
    @ParameterizedTest
    @CsvSource({"prelu", "xielu", "laplace", "sqrtsoftplus", "SiLU"})
    void otherNameIsRejectedWithTheSupportedOnes(String name) {
        assertThatThrownBy(() -> Activations.read(new ConfigJson().set("hidden_act", name), "hidden_act", "silu"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("config.json: hidden_act is '" + name + "'; supported are gelu, gelu_10, ")
                .hasMessageEndingWith("silu, swish, tanh");
    }
}
