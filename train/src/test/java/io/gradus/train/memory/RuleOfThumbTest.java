package io.gradus.train.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.memory.RuleOfThumb.Precision;
import io.gradus.train.recipe.Recipe.ParallelKind;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Sixteen bytes a parameter, however they are divided. */
class RuleOfThumbTest {
    private final RuleOfThumb rule = new RuleOfThumb(1000, 8 * 256, 64, 5);

    @Test
    void mixedPrecisionIs2Plus2Plus12AndF32Is4Plus4Plus8BytesPerParameter() {
        assertThat(rule.weightBytes(Precision.MIXED)).isEqualTo(2_000);
        assertThat(rule.gradientBytes(Precision.MIXED)).isEqualTo(2_000);
        assertThat(rule.optimizerBytes(Precision.MIXED)).isEqualTo(12_000);
        assertThat(rule.weightBytes(Precision.F32)).isEqualTo(4_000);
        assertThat(rule.gradientBytes(Precision.F32)).isEqualTo(4_000);
        assertThat(rule.optimizerBytes(Precision.F32)).isEqualTo(8_000);
        assertThat(rule.modelBytes()).isEqualTo(16_000);
    }

    @Test
    void networkOf4400WeightsTakes70Kilobytes() {
        long weights = 40 * 30 + 40 * 40 + 40 * 40;
        assertThat(new RuleOfThumb(weights, 0, 40, 3).modelBytes())
                .isEqualTo(16 * 4_400)
                .isEqualTo(70_400);
    }

    @Test
    void activationBytesGrowWithTokensWidthAndLayers() {
        assertThat(rule.activationBytes(Precision.MIXED)).isEqualTo(8L * 256 * 64 * 5 * 12);
        assertThat(rule.activationBytes(Precision.F32)).isEqualTo(8L * 256 * 64 * 5 * 24);
        assertThat(rule.activationFactor(8L * 256 * 64 * 5 * 30)).isEqualTo(30);
    }

    @Test
    void oneByteMoreThanAGpuTakesTwoGpus() {
        assertThat(new RuleOfThumb(5_000_000_000L, 0, 1, 1).gpus()).isEqualTo(1);
        assertThat(new RuleOfThumb(5_000_000_001L, 0, 1, 1).gpus()).isEqualTo(2);
    }

    /** The caption of figure 1 and table 1 of Rajbhandari et al. 2020. */
    @Test
    void sevenAndAHalfBillionParametersOn64ProcessesTakeThePublishedGigabytes() {
        RuleOfThumb published = new RuleOfThumb(7_500_000_000L, 0, 1, 1);
        assertThat(gigabytes(published, ParallelKind.DATA, 64)).isEqualTo("120.0");
        assertThat(gigabytes(published, ParallelKind.ZERO1, 64)).isEqualTo("31.4");
        assertThat(gigabytes(published, ParallelKind.ZERO2, 64)).isEqualTo("16.6");
        assertThat(gigabytes(published, ParallelKind.ZERO3, 64)).isEqualTo("1.9");
        assertThat(gigabytes(published, ParallelKind.ZERO1, 4)).isEqualTo("52.5");
        assertThat(gigabytes(published, ParallelKind.ZERO2, 16)).isEqualTo("21.6");
        assertThat(gigabytes(published, ParallelKind.ZERO3, 256)).isEqualTo("0.5");
        assertThat(gigabytes(new RuleOfThumb(128_000_000_000L, 0, 1, 1), ParallelKind.ZERO2, 64))
                .isEqualTo("284.0");
        assertThat(gigabytes(new RuleOfThumb(1_000_000_000_000L, 0, 1, 1), ParallelKind.ZERO3, 1024))
                .isEqualTo("15.6");
    }

    private static String gigabytes(RuleOfThumb rule, ParallelKind parallel, int processes) {
        return String.format(Locale.ROOT, "%.1f", rule.modelBytes(Precision.MIXED, parallel, processes) / 1e9);
    }

    @Test
    void f32DividesTheOptimizersEightAndThenTheGradientsFourAndTheWeightsFourBytes() {
        assertThat(rule.modelBytes(Precision.F32, ParallelKind.DATA, 4)).isEqualTo(16_000);
        assertThat(rule.modelBytes(Precision.F32, ParallelKind.ZERO1, 4)).isEqualTo(4_000 + 4_000 + 2_000);
        assertThat(rule.modelBytes(Precision.F32, ParallelKind.ZERO2, 4)).isEqualTo(4_000 + 1_000 + 2_000);
        assertThat(rule.modelBytes(Precision.F32, ParallelKind.ZERO3, 4)).isEqualTo(4_000);
    }

    /** Section 7: the volume is 2Ψ, and 3Ψ for all three stages. */
    @Test
    void zero3SendsHalfAsMuchAgainAsTheOthers() {
        assertThat(rule.sentBytes(Precision.F32, ParallelKind.DATA, 4)).isEqualTo(2 * 4_000 * 3 / 4);
        assertThat(rule.sentBytes(Precision.F32, ParallelKind.ZERO1, 4)).isEqualTo(2 * 4_000 * 3 / 4);
        assertThat(rule.sentBytes(Precision.F32, ParallelKind.ZERO2, 4)).isEqualTo(2 * 4_000 * 3 / 4);
        assertThat(rule.sentBytes(Precision.F32, ParallelKind.ZERO3, 4)).isEqualTo(3 * 4_000 * 3 / 4);
        assertThat(rule.sentBytes(Precision.F32, ParallelKind.NONE, 1)).isZero();
    }
}
