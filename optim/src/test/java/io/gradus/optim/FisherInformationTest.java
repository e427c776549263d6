package io.gradus.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Variable;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The diagonal of the Fisher information is the mean square of the gradients of the log likelihood. */
class FisherInformationTest {

    @ParameterizedTest
    @CsvSource({"by-sample, 1", "by-batch, 2"})
    void classifierMatchesPytorch(String name, int batch) throws IOException {
        try (PytorchFixture fixture = PytorchFixture.finetuning()) {
            for (Device device : List.of(Device.cpu(), Device.reference())) {
                Variable weight = Variable.parameter("weight", fixture.read("fisher/weight", device));
                Tensor inputs = fixture.read("fisher/inputs", device);
                int[] labels = toInts(fixture.read("fisher/labels", device));
                FisherInformation fisher = FisherInformation.estimate(List.of(weight), labels.length / batch, k -> {
                    long from = k * batch;
                    int[] some = Arrays.copyOfRange(labels, (int) from, (int) from + batch);
                    Variable.constant(inputs.slice(from, from + batch))
                            .matmul(weight, false, true)
                            .crossEntropy(Tensor.of(device, some, batch))
                            .backward();
                });
                PytorchFixture.assertClose(
                        fisher.of(weight), fixture.read("fisher/" + name, device), 1e-6, name + " on " + device);
                assertThat(weight.grad()).isNull();
            }
        }
    }

    private static int[] toInts(Tensor labels) {
        double[] values = labels.toDoubles();
        int[] ints = new int[values.length];
        Arrays.setAll(ints, i -> (int) values[i]);
        return ints;
    }

    @Test
    void frozenParametersAndParametersWithoutGradientHaveZeroFisher() {
        Variable a = TestParameters.parameter("a", 1, 1);
        Variable frozen = TestParameters.parameter("b", 1);
        Variable idle = TestParameters.parameter("c", 1);
        frozen.setRequiresGrad(false);
        List<Variable> all = List.of(a, frozen, idle);
        FisherInformation fisher =
                FisherInformation.estimate(all, 2, k -> TestParameters.gradient(a, k == 0 ? 3 : 1, 2));
        assertThat(fisher.of(a).toFloats()).containsExactly(5, 4);
        assertThat(fisher.of(frozen).toFloats()).containsExactly(0);
        assertThat(fisher.of(idle).toFloats()).containsExactly(0);
        assertThat(fisher.mean()).isCloseTo(2.25, within(1e-6));
        assertThat(fisher.of(a).storage().category()).isEqualTo(MemoryCategory.OPTIMIZER_STATE);
        assertThat(fisher.normalized().mean()).isCloseTo(1, within(1e-6));
        assertThat(fisher.of(a).toFloats()).containsExactly(new float[] {5 / 2.25f, 4 / 2.25f}, within(1e-6f));
    }

    @Test
    void stateRestoresFisher() {
        Variable a = TestParameters.parameter("a", 1, 1);
        FisherInformation fisher = FisherInformation.estimate(List.of(a), 1, _ -> TestParameters.gradient(a, 0.1f, 7));
        assertThat(fisher.state()).containsOnlyKeys("a.fisher");
        assertThat(FisherInformation.of(fisher.state()).of(a).toFloats())
                .containsExactly(fisher.of(a).toFloats());
        assertThatThrownBy(() -> FisherInformation.of(Map.of("a.exp_avg", fisher.of(a))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("unexpected tensor a.exp_avg");
    }

    @Test
    void zeroAndInfiniteFisherAreRejected() {
        Variable a = TestParameters.parameter("layers.0.weight", 1);
        assertThatThrownBy(() -> FisherInformation.estimate(List.of(a), 0, _ -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0 samples");
        assertThatThrownBy(() -> FisherInformation.estimate(List.of(a), 1, _ -> TestParameters.gradient(a, Float.NaN)))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("layers.0.weight");
        assertThatThrownBy(() -> FisherInformation.estimate(List.of(a), 1, _ -> TestParameters.gradient(a, 1e30f)))
                .isInstanceOf(ArithmeticException.class);
        assertThatThrownBy(FisherInformation.estimate(List.of(a), 1, _ -> {})::normalized)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("0 for every weight");
    }
}
