package io.gradus.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import org.junit.jupiter.api.Test;

/** A wrong gradient does not pass the check, which says where it is wrong. */
class GradientCheckTest {
    private final Tensor a = Tensor.of(new float[] {0.5f, -1, 2}, 3);
    private final Tensor b = Tensor.of(new float[] {1, 3, -2}, 3);

    @Test
    void correctGradientPassesOnBothDevices() {
        GradientCheck.Result result = GradientCheck.of(x -> x[0].multiply(x[1]).tanh(), a, b);
        assertThat(result.passes()).isTrue();
        assertThat(result.onDevice().device()).isEqualTo(Device.cpu());
        assertThat(result.onReference().device()).isEqualTo(Device.reference());
        assertThat(result.onReference().error()).isLessThan(1e-8);
        result.assertPasses();
    }

    @Test
    void wrongGradientFailsAndNamesTheElement() {
        GradientCheck.Result result =
                GradientCheck.of(x -> x[0].multiply(Variable.apply(new WrongExp(false), x[1])), a, b);
        assertThat(result.passes()).isFalse();
        assertThat(result.onReference().input()).isEqualTo(1);
        assertThat(result.onReference().element()).isEqualTo(1);
        assertThatThrownBy(result::assertPasses)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("input 1, element 1 on reference")
                .hasMessageContaining("input 1, element 1 on cpu");
    }

    @Test
    void nanGradientFails() {
        GradientCheck.Result result = GradientCheck.of(x -> Variable.apply(new WrongExp(true), x[0]), a);
        assertThat(result.passes()).isFalse();
        assertThat(result.onReference().analytic()).isNaN();
    }

    @Test
    void detachedInputFailsUnlessItsGradientIsZero() {
        assertThat(GradientCheck.of(x -> x[0].exp(), a, b).passes()).isTrue();
        assertThat(GradientCheck.of(x -> x[0].add(x[1].detach()), a, b).passes())
                .isFalse();
    }

    @Test
    void integerInputIsRejected() {
        assertThatThrownBy(() -> GradientCheck.of(x -> x[0], Tensor.of(new int[] {1}, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("matching(tensor, x)");
        assertThatThrownBy(() -> GradientCheck.of(x -> x[0])).isInstanceOf(IllegalArgumentException.class);
    }

    /** eˣ with half its gradient, or with a NaN gradient. */
    private static final class WrongExp extends Operation {
        private final boolean nan;
        private Tensor y;

        WrongExp(boolean nan) {
            this.nan = nan;
        }

        @Override
        protected Tensor forward(Tensor... inputs) {
            y = inputs[0].emptyLike(inputs[0].shape());
            y.kernels().elementwise().unary(Unary.EXP, inputs[0], y);
            return y;
        }

        @Override
        protected void backward(Tensor dy, Gradients gradients) {
            gradients.write(0, (dx, add) -> y.kernels().elementwise().affine(y, nan ? Double.NaN : 0.5, 0, dx, add));
        }
    }
}
