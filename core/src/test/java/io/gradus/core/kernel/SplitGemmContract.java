package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The contract of products whose operands are sums of two BF16, {@code h + r}. Each BF16 is off by up to 2⁻⁹ of what it rounds, so
 * h + r by 2⁻¹⁸, and the product of two r, which is left out, is up to 2⁻¹⁸ of the product. An infinity becomes infinity or NaN.
 */
public abstract class SplitGemmContract extends GemmContract {

    static Stream<int[]> sizes() {
        return Bf16GemmContract.sizes();
    }

    @Override
    double operandError() {
        return 3 * 0x1p-18;
    }

    @Override
    @Test
    void matmulKeepsNanInItsRowAndColumn() {
        float[] elements = new float[40 * 50];
        Arrays.fill(elements, 0.5f);
        elements[3 * 50 + 7] = Float.NaN;
        elements[20 * 50 + 49] = Float.POSITIVE_INFINITY;
        Operand a = of(elements, 40, 50);
        Operand b = range(0.5, 1, 50, 37);
        Operand out = output(false, 40, 37);
        run(side -> side.kernels().gemm().matmul(side.of(a), false, side.of(b), false, side.of(out), false));
        float[] actual = out.actual();
        for (int i = 0; i < actual.length; i++) {
            assertThat(Float.isFinite(actual[i])).isEqualTo(i / 37 != 3 && i / 37 != 20);
        }
    }
}
