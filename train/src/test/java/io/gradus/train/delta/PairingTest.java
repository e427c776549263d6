package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensors find what they began as; what has no counterpart, or another shape or kind, is named. */
class PairingTest {
    @TempDir
    private Path folder;

    private Pairing pair(TestModel base, TestModel tuned) throws IOException {
        base.write(folder.resolve("base"));
        tuned.write(folder.resolve("tuned"));
        try (SafetensorsCheckpoint before = SafetensorsCheckpoint.open(folder.resolve("base"));
                SafetensorsCheckpoint after = SafetensorsCheckpoint.open(folder.resolve("tuned"))) {
            return Pairing.of(before, after);
        }
    }

    private void assertRefused(TestModel base, TestModel tuned, String... message) {
        assertThatThrownBy(() -> pair(base, tuned))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(message);
    }

    @Test
    void sameNamesArePairedInAnyOrder() throws IOException {
        Pairing pairing = pair(
                new TestModel().with("a", DType.F32, 1).with("b", DType.F32, 2),
                new TestModel().with("b", DType.F32, 2).with("a", DType.F32, 1));

        assertThat(pairing.from()).containsExactly(Map.entry("b", "b"), Map.entry("a", "a"));
        assertThat(pairing.leftOut()).isEmpty();
    }

    @Test
    void modelIsPairedWithOneThatHasAnOutputLayer() throws IOException {
        TestModel base = new TestModel()
                .with("wte.weight", DType.F32, 1)
                .with("h.0.attn.bias", DType.F32, 1, 0, 1, 1)
                .with("h.0.attn.c_attn.bias", DType.F32, 3);
        TestModel tuned = new TestModel()
                .with("transformer.wte.weight", DType.F32, 2)
                .with("transformer.h.0.attn.c_attn.bias", DType.F32, 4);

        Pairing pairing = pair(base, tuned);
        assertThat(pairing.from())
                .containsOnly(
                        Map.entry("transformer.wte.weight", "wte.weight"),
                        Map.entry("transformer.h.0.attn.c_attn.bias", "h.0.attn.c_attn.bias"));
        assertThat(pairing.leftOut()).containsExactly("h.0.attn.bias");
        assertThat(pair(
                                tuned,
                                new TestModel()
                                        .with("wte.weight", DType.F32, 2)
                                        .with("h.0.attn.c_attn.bias", DType.F32, 4))
                        .from())
                .containsEntry("wte.weight", "transformer.wte.weight");
    }

    @Test
    void tiedWeightMayBeSavedOnceOrTwice() throws IOException {
        TestModel once = new TestModel().with("model.embed_tokens.weight", DType.F32, 1, 2);
        TestModel twice = new TestModel()
                .with("lm_head.weight", DType.F32, 3, 4)
                .with("model.embed_tokens.weight", DType.F32, 3, 4);

        assertThat(pair(once, twice).from())
                .containsEntry("lm_head.weight", "model.embed_tokens.weight")
                .hasSize(2);
        Pairing back = pair(twice, once);
        assertThat(back.from()).containsOnlyKeys("model.embed_tokens.weight");
        assertThat(back.leftOut()).containsExactly("lm_head.weight");
    }

    @Test
    void tiedWeightMayBeSavedTwiceWithDifferentDtypes() throws IOException {
        TestModel once = new TestModel().with("model.embed_tokens.weight", DType.F32, 1, 2);
        TestModel twice = new TestModel()
                .with("lm_head.weight", DType.F32, 3, 4)
                .with("model.embed_tokens.weight", DType.BF16, 3, 4);

        assertThat(pair(once, twice).from()).containsEntry("lm_head.weight", "model.embed_tokens.weight");
        assertThat(pair(twice, once).leftOut()).containsExactly("lm_head.weight");
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.embed_tokens.weight", "transformer.wte.weight", "wte.weight"})
    void tiedWeightMayBeSavedUnderEitherName(String embeddings) throws IOException {
        TestModel table = new TestModel().with(embeddings, DType.F32, 1, 2);
        TestModel head = new TestModel().with("lm_head.weight", DType.F32, 3, 4);

        assertThat(pair(head, table).from()).containsExactly(Map.entry(embeddings, "lm_head.weight"));
        assertThat(pair(table, head).from()).containsExactly(Map.entry("lm_head.weight", embeddings));
    }

    @Test
    void unchangedTablesAreLeftOut() throws IOException {
        TestModel model = new TestModel()
                .withBits("embeddings.position_ids", DType.I32, 0, 1, 2)
                .with("w", DType.F32, 1);

        assertThat(pair(model, model).from()).containsOnlyKeys("w");
        assertThat(pair(model, model).leftOut()).containsExactly("embeddings.position_ids");
    }

    @Test
    void missingTensorsAreNamed() {
        TestModel one = new TestModel().with("w", DType.F32, 1);
        TestModel more = new TestModel().with("w", DType.F32, 1);
        for (String name : new String[] {"a", "b", "c", "d", "e"}) {
            more.with(name, DType.F32, name.charAt(0));
        }

        assertRefused(
                one,
                more,
                folder.resolve("base") + "/model.safetensors: it lacks a, b, c and 2 more, which "
                        + folder.resolve("tuned"),
                "one architecture");
        assertRefused(more, one, folder.resolve("tuned") + "/model.safetensors: it lacks a, b, c and 2 more");
    }

    @Test
    void untiedOutputLayerWithoutCounterpartIsNamed() {
        assertRefused(
                new TestModel().with("model.embed_tokens.weight", DType.F32, 1, 2),
                new TestModel()
                        .with("model.embed_tokens.weight", DType.F32, 1, 2)
                        .with("lm_head.weight", DType.F32, 1, 3),
                "it lacks lm_head.weight");
    }

    @Test
    void differentShapesAreNamed() {
        assertRefused(
                new TestModel().with("w", DType.F32, Shape.of(2, 3), new float[6]),
                new TestModel().with("w", DType.F32, Shape.of(3, 2), new float[6]),
                "shapes differ",
                "w [2, 3] → [3, 2]");
    }

    @Test
    void unsupportedDtypeIsNamed() {
        assertRefused(
                new TestModel().withBits("w", DType.I32, 1),
                new TestModel().withBits("w", DType.I32, 1),
                "tensor 'w' is I32",
                "quantized");
        assertRefused(
                new TestModel().with("w", DType.F32, 1),
                new TestModel().withBits("w", DType.I32, 1),
                folder.resolve("tuned").toString(),
                "tensor 'w' is I32");
    }
}
