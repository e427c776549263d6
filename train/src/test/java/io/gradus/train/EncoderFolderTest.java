package io.gradus.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.Head;
import io.gradus.nn.model.Labels;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.PretrainedModel;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of encoders with one head, loaded with another, and inputs that encoders refuse. */
class EncoderFolderTest {
    private static final Path FOLDER = Path.of("src/test/fixtures/encoders");
    private static final Tensor IDS = Tensor.of(new int[] {5, 9, 4, 7, 21, 8}, 2, 3);
    private static final Labels LABELS = Labels.of("no", "yes", "perhaps");

    @TempDir
    private Path copy;

    private static PretrainedModel load(Path folder, Head head) throws IOException {
        return ModelFolder.open(folder).withHead(head).loadModel(Device.cpu(), DType.F32);
    }

    private static PretrainedModel loadNew(String name, Head head, long seed) throws IOException {
        return ModelFolder.open(FOLDER.resolve(name)).withNewHead(head, seed).loadModel(Device.cpu(), DType.F32);
    }

    private static float[] logits(PretrainedModel model) {
        return Autograd.noGrad(() -> model.forward(Input.of(IDS))).value().toFloats();
    }

    private static float[] states(PretrainedModel model) {
        return Autograd.noGrad(() -> model.hiddenStates(Input.of(IDS))).value().toFloats();
    }

    /** Names without a prefix in a folder of the bare network, and with one in the model. */
    @ParameterizedTest
    @ValueSource(strings = {"bert", "roberta", "distilbert", "modernbert"})
    void bareFolderGetsNewHeads(String name) throws IOException {
        for (Head head : List.of(
                new Head.LanguageModeling(),
                new Head.SequenceClassification(LABELS),
                new Head.TokenClassification(LABELS))) {
            float[] first = logits(loadNew(name, head, 1));
            assertThat(logits(loadNew(name, head, 1))).as("%s", head).containsExactly(first);
            if (!(head instanceof Head.LanguageModeling)) {
                assertThat(logits(loadNew(name, head, 2))).as("%s", head).isNotEqualTo(first);
            }
            assertThatThrownBy(() -> load(FOLDER.resolve(name), head))
                    .as("%s", head)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("missing in the file");
        }
    }

    /** And the other way round; a model for masked language modeling has no pooler, and needs none without a head. */
    @ParameterizedTest
    @ValueSource(strings = {"bert", "roberta", "distilbert", "modernbert"})
    void folderWithAHeadLoadsWithout(String name) throws IOException {
        Path masked = FOLDER.resolve(name + "-masked");
        PretrainedModel bare = load(masked, new Head.None());
        assertThat(bare.parameters()).noneMatch(parameter -> parameter.name().contains("pooler"));
        bare.save(copy);
        PretrainedModel again = load(copy, ModelFolder.open(copy).savedHead());
        assertThat(again.head()).isEqualTo(new Head.None());
        assertThat(states(again)).containsExactly(states(bare));
    }

    @Test
    void savedFolderNamesTheHead() throws IOException {
        ModelFolder folder = ModelFolder.open(FOLDER.resolve("bert")).withNewHead(new Head.LanguageModeling(), 3);
        folder.save(folder.loadModel(Device.cpu(), DType.F32), copy);
        assertThat(ConfigJson.read(copy).texts("architectures")).containsExactly("BertForMaskedLM");
        assertThatThrownBy(() -> LanguageModel.load(copy, Device.cpu()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("causal language model");
    }

    /** As in the folder of bert-base-uncased: old names of norms, positions, the bias of the output layer twice. */
    @Test
    void oldNamesAreRead() throws IOException {
        Path masked = FOLDER.resolve("bert-masked");
        rename(
                masked,
                name -> name.replace("LayerNorm.weight", "LayerNorm.gamma")
                        .replace("LayerNorm.bias", "LayerNorm.beta")
                        .replace("cls.predictions.bias", "cls.predictions.decoder.bias"));
        Head head = new Head.LanguageModeling();
        assertThat(logits(load(copy, head))).containsExactly(logits(load(masked, head)));
    }

    private void rename(Path from, UnaryOperator<String> names) throws IOException {
        Files.copy(from.resolve("config.json"), copy.resolve("config.json"));
        List<NamedTensor> tensors = new ArrayList<>();
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(from)) {
            for (String name : checkpoint.names()) {
                Tensor tensor = checkpoint.read(name, Device.cpu(), DType.F32, MemoryCategory.WEIGHTS);
                tensors.add(NamedTensor.of(names.apply(name), tensor));
            }
        }
        tensors.add(NamedTensor.of("bert.embeddings.position_ids", Tensor.of(new float[20], 1, 20)));
        SafetensorsWriter.write(copy.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    }

    @Test
    void dropoutOfTheConfigurationIsAppliedInTraining() throws IOException {
        PretrainedModel model = load(
                FOLDER.resolve("bert-sequence"),
                new Head.SequenceClassification(Labels.of("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3")));
        float[] evaluated = logits(model);
        model.train();
        model.seedDropout(7, 0);
        float[] first = logits(model);
        float[] second = logits(model);
        model.seedDropout(7, 0);
        assertThat(logits(model)).containsExactly(first);
        assertThat(first).isNotEqualTo(second).isNotEqualTo(evaluated);
        model.eval();
        assertThat(logits(model)).containsExactly(evaluated);
    }

    /** RoBERTa has two positions less than rows, which padding has. */
    @Test
    void tooLongAndPackedTextsAreRefused() throws IOException {
        PretrainedModel model = load(FOLDER.resolve("roberta"), new Head.None());
        assertThat(model.contextLength()).isEqualTo(18);
        assertThatThrownBy(() -> model.forward(Input.of(Tensor.of(new int[19], 1, 19))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("19 tokens", "18", "max_position_embeddings");
        Tensor starts = Tensor.of(new int[6], 2, 3);
        assertThatThrownBy(() -> model.forward(Input.packed(IDS, starts, starts)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("document starts");
    }

    @Test
    void paddingChangesNothing() throws IOException {
        for (String name : List.of("bert", "roberta", "distilbert", "modernbert")) {
            PretrainedModel model = load(FOLDER.resolve(name), new Head.None());
            Variable alone = Autograd.noGrad(() -> model.forward(Input.of(Tensor.of(new int[] {5, 9, 4}, 1, 3))));
            int padding = name.equals("roberta") ? 1 : 0;
            Tensor ids = Tensor.of(new int[] {5, 9, 4, padding, padding, padding, padding, padding}, 1, 8);
            Tensor mask = Tensor.of(new int[] {1, 1, 1, 0, 0, 0, 0, 0}, 1, 8);
            Variable padded = Autograd.noGrad(
                    () -> model.forward(Input.padded(ids, mask, null)).slice(1, 0, 3));
            float[] ours = padded.value().toFloats();
            float[] expected = alone.value().toFloats();
            for (int i = 0; i < expected.length; i++) {
                assertThat(ours[i]).as(name).isCloseTo(expected[i], within(1e-5f));
            }
        }
    }
}
