package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.core.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Corrections are exactly the elements that adding the difference would miss. */
class DifferenceTest {
    @TempDir
    private Path folder;

    private final List<SafetensorsFile> opened = new ArrayList<>();

    @AfterEach
    void close() {
        opened.forEach(SafetensorsFile::close);
    }

    private Difference difference(float[] base, float[] tuned) throws IOException {
        Path path = folder.resolve(opened.size() + ".safetensors");
        SafetensorsWriter.write(
                path,
                List.of(
                        NamedTensor.of("base", Tensor.of(base, base.length)),
                        NamedTensor.of("tuned", Tensor.of(tuned, tuned.length))),
                Map.of());
        SafetensorsFile file = SafetensorsFile.open(path);
        opened.add(file);
        Shape shape = Shape.of(base.length);
        return new Difference(
                new StoredElements(file.bytes("base"), "base", DType.F32, shape),
                new StoredElements(file.bytes("tuned"), "tuned", DType.F32, shape));
    }

    @Test
    void differenceWithinAFactorOfTwoIsExact() throws IOException {
        int n = 100_000; // more than one run
        float[] base = new float[n];
        float[] tuned = new float[n];
        for (int i = 0; i < n; i++) {
            base[i] = 1 + i / (float) n;
            tuned[i] = 2 - i / (float) (2 * n);
        }

        assertThat(difference(base, tuned).measure().corrections()).isZero();
        assertThat(difference(base, tuned).delta(Shape.of(n)).toFloats()[n - 1]).isEqualTo(tuned[n - 1] - base[n - 1]);
    }

    @Test
    void inexactDifferenceIsCorrected() throws IOException {
        int n = 70_000;
        float[] base = new float[n];
        float[] tuned = new float[n];
        float lost = 1e-9f;
        base[3] = 1;
        tuned[3] = lost; // fl(1e-9 − 1) = −1, and 1 − 1 = 0
        base[69_999] = 1;
        tuned[69_999] = -lost;
        Difference difference = difference(base, tuned);

        assertThat(difference.measure().corrections()).isEqualTo(2);
        assertThat(difference.measure().inexpressible()).isZero();
        assertThat(difference.correctedAt(difference.measure()).toInts()).containsExactly(3, 69_999);
        assertThat(difference.correctedTo(difference.measure()).toFloats()).containsExactly(lost, -lost);
        assertThat(difference.delta(Shape.of(n)).toFloats()).contains(-1f);
    }

    @Test
    void manyCorrectionsAreRecomputed() throws IOException {
        int n = 200_000;
        float[] base = new float[n];
        float[] tuned = new float[n];
        for (int i = 0; i < n; i++) {
            base[i] = i % 3 == 0 ? 1 : 0;
            tuned[i] = i * 1e-12f;
        }
        base[0] = 0;
        Difference difference = difference(base, tuned);
        Difference.Measured measured = difference.measure();

        assertThat(measured.at()).as("too many to keep").isNull();
        assertThat(measured.corrections()).isEqualTo(n / 3);
        int[] at = difference.correctedAt(measured).toInts();
        assertThat(at).hasSize(n / 3).startsWith(3, 6, 9).endsWith(199_998);
        assertThat(difference.correctedTo(measured).toFloats()[1]).isEqualTo(tuned[6]);
    }

    @Test
    void overflowingDifferenceIsZeroAndCorrected() throws IOException {
        Difference difference = difference(new float[] {1, 3e38f, -2e38f}, new float[] {1, -3e38f, 3e38f});

        assertThat(difference.measure().corrections()).isEqualTo(2);
        assertThat(difference.measure().inexpressible()).isEqualTo(2);
        assertThat(difference.delta(Shape.of(3)).toFloats()).containsOnly(0);
        assertThat(difference.correctedAt(difference.measure()).toInts()).containsExactly(1, 2);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void elementThatIsNotFiniteIsNamed(float value) throws IOException {
        int n = 100_000; // more than one run
        float[] finite = new float[n];
        float[] broken = new float[n];
        broken[n - 2] = value;

        assertThatThrownBy(() -> difference(broken, finite).measure())
                .isInstanceOf(IOException.class)
                .hasMessageContaining(".safetensors: tensor 'base' has " + value + " at [99998]; a delta is made of");
        assertThatThrownBy(() -> difference(finite, broken).measure())
                .hasMessageContaining(".safetensors: tensor 'tuned' has " + value + " at [99998]");
    }
}
