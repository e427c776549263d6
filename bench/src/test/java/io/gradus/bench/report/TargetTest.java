package io.gradus.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.bench.report.Target.Verdict;
import java.util.List;
import org.junit.jupiter.api.Test;

class TargetTest {

    @Test
    void gemmHasTargetsForMedianSlowestAndVocabularyEdge() {
        List<Verdict> verdicts = Target.judge(List.of(
                Results.of("gemm", "head 256 NT", 2, 1.05),
                Results.of("gemm", "qkv 256 NN", 2, 0.95),
                Results.of("gemm", "fc 256 NN", 2, 0.84)));

        assertThat(verdicts).extracting(Verdict::value).containsExactly(0.95, 0.84, 1.05);
        assertThat(verdicts).extracting(Verdict::isMet).containsExactly(true, false, false);
    }

    @Test
    void productsInBf16HaveTargetsOfTheirOwn() {
        List<Verdict> verdicts = Target.judge(List.of(
                Results.of("gemm-medium", "head 256 NT", 2, 1.4),
                Results.of("gemm-medium", "qkv 256 NN", 2, 0.9),
                Results.of("gemm-medium", "fc 256 NN", 2, 0.6)));

        assertThat(verdicts).extracting(Verdict::value).containsExactly(0.9, 0.6);
        assertThat(verdicts).extracting(Verdict::isMet).containsExactly(true, false);
    }

    @Test
    void eachNumberOfThreadsIsJudgedSeparately() {
        List<Verdict> verdicts = Target.judge(List.of(
                Results.of("gpt2", "gpt2 B 4 T 64", 1, 1.2),
                Results.of("gpt2", "gpt2 B 1 T 512", 1, 1.3),
                Results.of("gpt2", "gpt2 B 4 T 64", 2, 1.1)));

        assertThat(verdicts).extracting(Verdict::threads).containsExactly(1, 2);
        assertThat(verdicts).extracting(Verdict::value).containsExactly(1.2, 1.1);
        assertThat(verdicts).extracting(Verdict::isMet).containsExactly(true, false);
    }

    @Test
    void adamWHasATargetForItsShareOfBandwidth() {
        List<Verdict> verdicts = Target.judge(List.of(Results.of("adamw", "AdamW 100M", 1, 1.01)));

        assertThat(verdicts).extracting(Verdict::value).containsExactly(1.01, 20.0 / 25);
        assertThat(verdicts).allMatch(Verdict::isMet);
    }

    @Test
    void noResultsGiveNoVerdicts() {
        assertThat(Target.judge(List.of())).isEmpty();
    }
}
