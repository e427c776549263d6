package io.gradus.bench.profile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.bench.measure.Peaks;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProfileTest {
    private final Profile profile = new Profile();
    private final Device device = TimedBackend.on(Device.cpu(1), profile);

    private Tensor zeros(long... shape) {
        return Tensor.zeros(device, DType.F32, Shape.of(shape), MemoryCategory.WORKSPACE);
    }

    /** At 1 GB/s and 1 GFLOP/s, a floor in milliseconds is 10⁶ bytes or operations. */
    @Test
    void floorIsTheLongerOfMovingAndMultiplying() {
        Tensor x = zeros(1000, 500);
        Tensor w = zeros(500, 200);
        Tensor y = zeros(1000, 200);
        profile.begin("forward");
        device.kernels().gemm().matmul(x, false, w, false, y, false);
        device.kernels().elementwise().unary(Unary.TANH, y, y);
        profile.endStep();

        List<List<String>> rows = profile.text(new Peaks(1, 1, 1), 1)
                .lines()
                .map(line -> List.of(line.strip().split(" {2,}")))
                .toList();

        assertThat(rows).anySatisfy(row -> {
            assertThat(row.getFirst()).isEqualTo("Gemm.matmul 1000 × 200 × 500, NN");
            assertThat(row.get(1)).isEqualTo("1");
            assertThat(row.get(3)).isEqualTo("200.0"); // 2·1000·200·500 operations
        });
        assertThat(rows).anySatisfy(row -> {
            assertThat(row.getFirst()).isEqualTo("Elementwise.unary tanh");
            assertThat(row.get(3)).isEqualTo("2.4"); // 200,000 floats are read twice and written
        });
    }

    @Test
    void questionAboutKernelsIsNotACall() {
        profile.begin("optimizer");
        assertThat(device.kernels().optimizerSteps().adamReads(DType.F32)).isTrue();
        profile.endStep();

        assertThat(profile.text(new Peaks(1, 1, 1), 1))
                .contains("outside kernels")
                .doesNotContain("adamReads");
    }

    @Test
    void kernelsBeforeClearAreForgotten() {
        profile.begin("forward");
        device.kernels().elementwise().fill(zeros(10), 1);
        profile.endStep();
        profile.clear();
        profile.begin("backward");
        profile.endStep();

        assertThat(profile.text(new Peaks(1, 1, 1), 1)).contains("backward").doesNotContain("forward");
    }
}
