package io.gradus.nn.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.CrossEntropyOptions;
import io.gradus.autograd.Reduction;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.SafetensorsFile;
import io.gradus.nn.Losses;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.PretrainedModel.Input;
import io.gradus.nn.model.ProblemType;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Heads of decoders; {@code fixtures/heads/generate.py} says what transformers computed. */
class DecoderHeadsTest {
    private static final Path FIXTURES = Path.of("src/test/fixtures/heads");
    private static final double TOLERANCE = 1e-5;
    private static final Labels LABELS = Labels.of("bad", "good");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama_sequence", "gpt2_sequence", "qwen2_regression", "llama_token", "gpt_neox_token"})
    void logitsLossAndEveryGradientAreThoseOfTransformers(String name) throws IOException {
        ModelFolder saved = ModelFolder.open(FIXTURES.resolve(name));
        PretrainedModel model = saved.withHead(saved.savedHead()).loadModel(Device.cpu(), DType.F32);
        try (SafetensorsFile expected = SafetensorsFile.open(saved.path().resolve("expected.safetensors"))) {
            Tensor ids = read(expected, "input_ids");
            Variable hidden = model.hiddenStates(Input.padded(ids, read(expected, "attention_mask"), null));
            Variable logits = model.logits(hidden);
            Variable loss = loss(model, hidden, read(expected, "labels"));
            loss.backward();
            if (model.head() instanceof Head.SequenceClassification) { // else logits of padding, which we leave out
                assertThat(error(logits.value(), read(expected, "logits"))).isLessThan(TOLERANCE);
            }
            assertThat(error(loss.value(), read(expected, "loss"))).isLessThan(TOLERANCE);
            Map<String, Double> errors = new HashMap<>();
            for (Variable parameter : model.parameters()) {
                assertThat(parameter.grad()).as(parameter.name()).isNotNull();
                errors.put(parameter.name(), error(parameter.grad(), read(expected, "grad." + parameter.name())));
            }
            assertThat(errors)
                    .allSatisfy((parameter, error) -> assertThat(error).isLessThan(TOLERANCE));
            assertThat(errors).hasSize((int) expected.names().stream()
                    .filter(each -> each.startsWith("grad."))
                    .count());
        }
    }

    private static Variable loss(PretrainedModel model, Variable hidden, Tensor labels) {
        ProblemType type = model.head() instanceof Head.SequenceClassification(Labels named)
                ? named.problemType()
                : ProblemType.SINGLE_LABEL_CLASSIFICATION;
        return switch (type) {
            case SINGLE_LABEL_CLASSIFICATION ->
                model.crossEntropy(hidden, labels, CrossEntropyOptions.of(Reduction.MEAN), 0);
            case MULTI_LABEL_CLASSIFICATION ->
                Losses.binaryCrossEntropyWithLogits(
                        model.logits(hidden), Variable.constant(labels), null, Reduction.MEAN);
            case REGRESSION -> Losses.mseLoss(model.logits(hidden).reshape(labels.size()), Variable.constant(labels));
        };
    }

    private static Tensor read(SafetensorsFile file, String name) throws IOException {
        DType dtype = file.entry(name).dtype().equals("I32") ? DType.I32 : DType.F32;
        return file.read(name, Device.cpu(), dtype, MemoryCategory.ACTIVATIONS);
    }

    /** The largest difference, relative to the largest number. */
    private static double error(Tensor ours, Tensor theirs) {
        double[] a = ours.toDoubles();
        double[] b = theirs.toDoubles();
        assertThat(a).hasSameSizeAs(b);
        double distance = 0;
        double scale = 1e-9;
        for (int i = 0; i < b.length; i++) {
            distance = Math.max(distance, Math.abs(a[i] - b[i]));
            scale = Math.max(scale, Math.abs(b[i]));
        }
        return distance / scale;
    }

    @Test
    void aSavedClassifierIsReadAgainWithItsLabels() throws IOException {
        ModelFolder fixture = ModelFolder.open(FIXTURES.resolve("gpt2_sequence"));
        ModelFolder base = fixture.withHead(fixture.savedHead());
        base.save(base.loadModel(Device.cpu(), DType.F32), folder);
        assertThat(new ModelFolder(folder).savedHead())
                .isEqualTo(new Head.SequenceClassification(
                        new Labels(List.of("warm", "dry"), ProblemType.MULTI_LABEL_CLASSIFICATION)));
        assertThat(folder.resolve("config.json")).content().contains("GPT2ForSequenceClassification");
    }

    @Test
    void aLanguageModelGetsANewHeadThatDependsOnTheSeedAlone() throws IOException {
        ModelFolder base = base(false);
        PretrainedModel one = base.loadModel(Device.cpu(), DType.F32);
        PretrainedModel same = base.loadModel(Device.cpu(), DType.F32);
        PretrainedModel other = base.withNewHead(base.head(), 8).loadModel(Device.cpu(), DType.F32);
        assertThat(one.namedParameters()).containsKey("score.weight").doesNotContainKey("lm_head.weight");
        assertThat(score(one)).isEqualTo(score(same)).isNotEqualTo(score(other));
    }

    @Test
    void weightsThatAreReadLaterIncludeTheNewHead() throws IOException {
        ModelFolder base = base(true);
        PretrainedModel model = base.loadModel(Device.cpu(), DType.F32);
        Map<String, float[]> later = new HashMap<>();
        base.forEachWeight(model, (parameter, tensor) -> later.put(parameter.name(), tensor.toFloats()));
        assertThat(later.get("score.weight")).isEqualTo(score(model));
        base.save(model, folder.resolve("saved"));
        PretrainedModel saved =
                new ModelFolder(folder.resolve("saved")).withHead(base.head()).loadModel(Device.cpu(), DType.F32);
        assertThat(score(saved)).isEqualTo(score(model));
    }

    @Test
    void aFolderWithoutTheHeadIsRejectedWhereItMustHaveOne() throws IOException {
        ModelFolder base = base(true).withHead(new Head.SequenceClassification(LABELS));
        assertThatThrownBy(() -> base.loadModel(Device.cpu(), DType.F32))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("score.weight");
    }

    @Test
    void aClassifierIsNoLanguageModel() throws IOException {
        ModelFolder base = base(true);
        assertThatThrownBy(() -> base.load(Device.cpu()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("causal language model");
        assertThatThrownBy(() -> LanguageModel.load(FIXTURES.resolve("llama_sequence"), Device.cpu()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("holds a model for sequence classification")
                .hasMessageContaining("./gradus predict");
    }

    /** A Llama for two labels whose folder holds a language model. */
    private ModelFolder base(boolean tied) throws IOException {
        LlamaConfig config = LlamaConfig.of(32, 16, 24, 1, 2, 1, 16);
        LanguageModel model = tied
                ? config.build(WeightSource.random(Device.cpu(), 1))
                : LlamaConfig.read(config.toJson().set("tie_word_embeddings", false))
                        .build(WeightSource.random(Device.cpu(), 1));
        model.save(folder.resolve("base"));
        return ModelFolder.open(folder.resolve("base")).withNewHead(new Head.SequenceClassification(LABELS), 7);
    }

    private static float[] score(PretrainedModel model) {
        return model.namedParameters().get("score.weight").value().toFloats();
    }
}
