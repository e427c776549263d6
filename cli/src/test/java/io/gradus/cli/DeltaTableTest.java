package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.train.delta.Change;
import io.gradus.train.delta.Delta;
import io.gradus.train.delta.DeltaFile;
import io.gradus.train.delta.TensorDelta;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the layout of delta tables on terminals of different widths. */
class DeltaTableTest {
    private static final String HASH = "0123456789abcdef".repeat(4);

    private static TensorDelta tensor(String name, Change change, long inexpressible) {
        return new TensorDelta(
                name,
                name,
                DType.BF16,
                DType.BF16,
                Shape.of(change.numbers()),
                HASH,
                HASH,
                change,
                inexpressible,
                inexpressible);
    }

    private static Delta delta(List<String> leftOut, TensorDelta... tensors) {
        return new Delta(
                Path.of("d.safetensors"),
                new Delta.Origin("stories", HASH),
                new Delta.Origin("tuned", HASH),
                List.of(tensors),
                leftOut,
                leftOut.isEmpty()
                        ? List.of()
                        : List.of(new DeltaFile("generation_config.json", "e30="), new DeltaFile("merges.txt", null)));
    }

    private static Delta sample() {
        return delta(
                List.of(),
                tensor("model.embed_tokens.weight", new Change(32_768, 16_000, 16_000, 0.25, 2500, 0.00861), 0),
                tensor("model.layers.0.self_attn.q_proj.weight", new Change(4096, 4000, 3999, 0.04, 100, 0.0078), 0),
                tensor("model.layers.0.post_attention_layernorm.weight", new Change(64, 64, 64, 0.0004, 60, 0.0051), 0),
                tensor("model.layers.1.self_attn.q_proj.weight", new Change(4096, 4096, 4096, 0.09, 90, 0.0079), 0),
                tensor("model.norm.weight", new Change(64, 0, 0, 0, 50, 0), 0));
    }

    private static List<String> byLayer(Delta delta, int width) {
        return new DeltaTable(delta, width).rows("layer", delta.byLayer());
    }

    private static List<String> byTensor(Delta delta, int width) {
        return new DeltaTable(delta, width).rows("tensor", delta.byTensor());
    }

    @Test
    void tableAt80ColumnsHasAllColumnsAndABar() {
        assertThat(String.join("\n", byLayer(sample(), 80))).isEqualTo("""
            layer         numbers    ‖Δ‖  max |Δ|  ‖Δ‖/‖θ₀‖  BF16 ≠
            embed_tokens   32,768  0.500  0.00861     1.00%   48.8%  ██████
            layers.0        4,160  0.201  0.00780     1.59%   97.7%  ██████████
            layers.1        4,096  0.300  0.00790     3.16%  100.0%  ████████████████████
            norm               64      0        0        0%      0%
            ───────────────────────────────────────────────────────
            total          41,088  0.617  0.00861     1.17%   58.8%

            BF16 ≠ is the share of numbers that differ also when rounded to BF16.
            """.strip());
    }

    @Test
    void tableAt40ColumnsKeepsTheRelativeNorm() {
        assertThat(String.join("\n", byLayer(sample(), 40))).isEqualTo("""
            layer           ‖Δ‖  ‖Δ‖/‖θ₀‖  BF16 ≠
            embed_tokens  0.500     1.00%   48.8%
            layers.0      0.201     1.59%   97.7%
            layers.1      0.300     3.16%  100.0%
            norm              0        0%      0%
            ─────────────────────────────────────
            total         0.617     1.17%   58.8%

            BF16 ≠ is the share of numbers that
            differ also when rounded to BF16.
            """.strip());
    }

    @Test
    void longNamesAreShortenedInTheMiddle() {
        assertThat(String.join("\n", byTensor(sample(), 48))).isEqualTo("""
            tensor                          ‖Δ‖/‖θ₀‖  BF16 ≠
            embed_tokens                       1.00%   48.8%
            layers.0.self_attn.q_proj          2.00%   97.6%
            layers.0.post_…ntion_layernorm     0.26%  100.0%
            layers.1.self_attn.q_proj          3.16%  100.0%
            norm                                  0%      0%
            ────────────────────────────────────────────────
            total                              1.17%   58.8%

            BF16 ≠ is the share of numbers that differ also
            when rounded to BF16.
            """.strip());
    }

    @Test
    void summaryWrapsAtTheTerminalWidth() {
        assertThat(String.join("\n", new DeltaTable(sample(), 50).summary())).isEqualTo("""
            base      stories (SHA-256 0123456789ab…)
            tuned     tuned (SHA-256 0123456789ab…), BF16
            moved     4 of 5 tensors, 24,160 of 41,088
                      numbers, 24,159 of them also in BF16
            by        ‖Δ‖ 0.617, which is 1.17% of ‖θ₀‖ 52.9
            """.strip());
    }

    @ParameterizedTest
    @ValueSource(ints = {30, 40, 50, 60, 70, 79, 80, 100, 132, 200})
    void linesFitTheTerminal(int width) {
        List<String> lines = new ArrayList<>(new DeltaTable(sample(), width).summary());
        lines.addAll(byLayer(sample(), width));
        lines.addAll(byTensor(sample(), width));

        assertThat(lines).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(width));
        assertThat(lines).noneMatch(line -> line.endsWith(" "));
    }

    @Test
    void summaryReportsOverflowsSkippedTensorsAndFiles() {
        Delta delta = delta(
                List.of("h.0.attn.bias", "h.1.attn.bias", "h.2.attn.bias", "lm_head.weight"),
                tensor("w", new Change(4, 4, 4, 1, 0, 1), 2));

        assertThat(String.join("\n", new DeltaTable(delta, 200).summary()))
                .contains("caution   2 numbers changed by more than the dtype can hold, in w: apply this delta alone")
                .contains("files     generation_config.json, merges.txt: as in the tuned model")
                .contains("left out  h.0.attn.bias, h.1.attn.bias, h.2.attn.bias and 1 more: not weights")
                .contains("which is – of ‖θ₀‖ 0");
        assertThat(new DeltaTable(delta(List.of(), tensor("w", new Change(4, 0, 0, 0, 1, 0), 0)), 80).summary())
                .contains("moved     nothing: the weights of the two models are the same");
    }

    @Test
    void sharesPrintZeroAndHundredPercentOnlyIfExact() {
        Delta delta = delta(
                List.of(),
                tensor("a.1.w", new Change(1_000_000, 999_999, 999_999, 1e-14, 1, 1e-7), 0),
                tensor("a.2.w", new Change(1_000_000, 1, 1, 4e-8, 1, 1e-7), 0),
                tensor("a.3.w", new Change(100, 100, 100, 1, 0, 1), 0));

        List<String> lines = byLayer(delta, 100);
        assertThat(lines.get(1)).contains("1.00e-07", "<0.001%", ">99.9%");
        assertThat(lines.get(2)).contains("0.020%", "<0.001%");
        assertThat(lines.get(3)).contains("–", "100.0%");
    }
}
