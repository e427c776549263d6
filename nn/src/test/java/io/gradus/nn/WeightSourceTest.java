package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Scope;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightSourceTest {
    private static final Initializer NORMAL = Initializer.normal(1);

    @TempDir
    private Path folder;

    private SafetensorsCheckpoint checkpoint(NamedTensor... tensors) throws IOException {
        Path file = folder.resolve("model.safetensors");
        SafetensorsWriter.write(file, List.of(tensors), Map.of("format", "pt"));
        return SafetensorsCheckpoint.open(folder);
    }

    private static NamedTensor tensor(String name, float... elements) {
        return NamedTensor.of(name, Tensor.of(elements, elements.length));
    }

    // ---- names ----

    @Test
    void inBuildsTheFullName() {
        WeightSource part = Given.weights().in("model").in("layers").in(3).in("mlp");
        Variable weight = part.in("up_proj").parameter("weight", Shape.of(2, 3), NORMAL);
        assertThat(weight.name()).isEqualTo("model.layers.3.mlp.up_proj.weight");
        assertThat(weight.shape()).isEqualTo(Shape.of(2, 3));
        assertThat(weight.requiresGrad()).isTrue();
        assertThat(part.device()).isEqualTo(Device.cpu());
    }

    @Test
    void requestingANameTwiceIsRejected() {
        WeightSource weights = Given.weights();
        weights.in("a").parameter("b", Shape.of(1), NORMAL);
        assertThatThrownBy(() -> weights.parameter("a.b", Shape.of(1), NORMAL))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("'a.b' was requested twice");
    }

    // ---- random ----

    @Test
    void parameterDependsOnlyOnSeedAndOrder() {
        float[] second = secondOf(WeightSource.random(Device.cpu(), 1), "a", 2, "b");
        assertThat(secondOf(WeightSource.random(Device.cpu(), 1), "x", 50, "y")).isEqualTo(second);
        assertThat(secondOf(WeightSource.random(Device.cpu(2), 1), "a", 2, "b")).isEqualTo(second);
        assertThat(secondOf(WeightSource.random(Device.cpu(), 2), "a", 2, "b")).isNotEqualTo(second);
    }

    private static float[] secondOf(WeightSource weights, String first, int size, String second) {
        weights.in("part").parameter(first, Shape.of(size), NORMAL);
        return weights.parameter(second, Shape.of(9), NORMAL).value().toFloats();
    }

    @Test
    void parametersOfOneModelDiffer() {
        WeightSource weights = Given.weights();
        float[] a = weights.parameter("a", Shape.of(9), NORMAL).value().toFloats();
        assertThat(weights.parameter("b", Shape.of(9), NORMAL).value().toFloats())
                .isNotEqualTo(a);
    }

    @Test
    void randomSourceHasEveryName() {
        assertThat(Given.weights().has("anything")).isTrue();
        assertThatCode(() -> Given.weights().requireAllLoaded(_ -> false)).doesNotThrowAnyException();
    }

    @Test
    void parametersOutliveTheirScopeAndCountAsWeights() {
        Variable parameter;
        try (Scope _ = Scope.open("building")) {
            parameter = Given.weights().parameter("a", Shape.of(2), Initializer.ones());
        }
        assertThat(parameter.value().toFloats()).containsExactly(1, 1);
        assertThat(parameter.value().storage().category()).isEqualTo(MemoryCategory.WEIGHTS);
    }

    // ---- dtypes ----

    @Test
    void halfPrecisionParametersAreRoundedF32Parameters() throws IOException {
        for (DType half : new DType[] {DType.BF16, DType.F16}) {
            float[] exact =
                    Given.weights().parameter("a", Shape.of(50), NORMAL).value().toFloats();
            Tensor drawn = Given.weights()
                    .to(half)
                    .in("part")
                    .parameter("a", Shape.of(50), NORMAL)
                    .value();
            assertThat(drawn.dtype()).isEqualTo(half);
            assertThat(drawn.storage().category()).isEqualTo(MemoryCategory.WEIGHTS);
            assertThat(drawn.toFloats())
                    .containsExactly(Tensor.of(exact, 50).to(half).toFloats());
            try (var checkpoint = checkpoint(tensor("a", 1.001f, 2, 3))) {
                WeightSource weights =
                        WeightSource.from(checkpoint, Device.cpu()).to(half);
                Tensor read = weights.parameter("a", Shape.of(3), NORMAL).value();
                weights.requireAllLoaded(_ -> false);
                assertThat(read.dtype()).isEqualTo(half);
                assertThat(read.toFloats())
                        .containsExactly(Tensor.of(new float[] {1.001f, 2, 3}, 3)
                                .to(half)
                                .toFloats());
            }
        }
        assertThatThrownBy(() -> Given.weights().to(DType.I32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("I32", "BF16");
    }

    // ---- checkpoints ----

    @Test
    void checkpointValuesReplaceTheInitializer() throws IOException {
        try (var checkpoint = checkpoint(tensor("layer.weight", 1, 2, 3), tensor("left.alone", 4))) {
            WeightSource weights = WeightSource.from(checkpoint, Device.cpu());
            assertThat(weights.in("layer").has("weight")).isTrue();
            assertThat(weights.in("layer").has("bias")).isFalse();
            Variable weight = weights.in("layer").parameter("weight", Shape.of(3), NORMAL);
            assertThat(weight.value().toFloats()).containsExactly(1, 2, 3);
            assertThatCode(() -> weights.requireAllLoaded(name -> name.equals("left.alone")))
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void tensorNamesMapParametersToTheFile() throws IOException {
        try (var checkpoint = checkpoint(tensor("weight", 1, 2, 3), tensor("other", 4))) {
            WeightSource weights =
                    WeightSource.from(checkpoint, Device.cpu(), name -> name.replaceFirst("^model\\.", ""));
            assertThat(weights.in("model").has("weight")).isTrue();
            Variable weight = weights.in("model").parameter("weight", Shape.of(3), NORMAL);
            assertThat(weight.name()).isEqualTo("model.weight");
            assertThat(weight.value().toFloats()).containsExactly(1, 2, 3);
            weights.in("model").parameter("absent", Shape.of(3), NORMAL);
            assertThatThrownBy(() -> weights.requireAllLoaded(_ -> false))
                    .hasMessageContaining("missing in the file: absent")
                    .hasMessageContaining("in the file but not in the model: other");
        }
    }

    @Test
    void missingUnexpectedAndMisshapenTensorsAreReportedTogether() throws IOException {
        try (var checkpoint = checkpoint(tensor("a", 1, 2), tensor("extra", 1), tensor("b", 1))) {
            WeightSource weights = WeightSource.from(checkpoint, Device.cpu());
            weights.parameter("a", Shape.of(3), NORMAL);
            weights.parameter("b", Shape.of(1), NORMAL);
            weights.in("c").parameter("weight", Shape.of(1), NORMAL);
            assertThatThrownBy(() -> weights.requireAllLoaded(_ -> false))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("model.safetensors")
                    .hasMessageContaining("missing in the file: c.weight")
                    .hasMessageContaining("a is [2] in the file and [3] in the model")
                    .hasMessageContaining("in the file but not in the model: extra");
        }
    }

    @Test
    void reportMentionsOnlyProblemsThatOccurred() throws IOException {
        try (var checkpoint = checkpoint(tensor("a", 1))) {
            WeightSource weights = WeightSource.from(checkpoint, Device.cpu());
            assertThatThrownBy(() -> weights.requireAllLoaded(_ -> false))
                    .hasMessageContaining("in the file but not in the model: a")
                    .hasMessageNotContaining("missing")
                    .hasMessageNotContaining("shape");
        }
    }

    @Test
    void longListsOfNamesAreShortened() throws IOException {
        try (var checkpoint = checkpoint(tensor("a", 1))) {
            WeightSource weights = WeightSource.from(checkpoint, Device.cpu());
            weights.parameter("a", Shape.of(1), NORMAL);
            for (int i = 0; i < 12; i++) {
                weights.in(i).parameter("weight", Shape.of(1), NORMAL);
            }
            assertThatThrownBy(() -> weights.requireAllLoaded(_ -> false))
                    .hasMessageContaining("0.weight, 1.weight, 2.weight, 3.weight, 4.weight and 7 more")
                    .hasMessageNotContaining("5.weight");
        }
    }

    @Test
    void misshapenTensorAllocatesNothing() throws IOException {
        try (var checkpoint = checkpoint(tensor("a", 1))) {
            WeightSource weights = WeightSource.from(checkpoint, Device.cpu());
            weights.parameter("a", Shape.of(1L << 40, 1L << 10), NORMAL);
            weights.parameter("b", Shape.of(1L << 40, 1L << 10), NORMAL);
            assertThatThrownBy(() -> weights.requireAllLoaded(_ -> false))
                    .hasMessageContaining("b")
                    .hasMessageContaining(Arrays.toString(new long[] {1L << 40, 1L << 10}));
        }
    }
}
