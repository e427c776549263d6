package io.gradus.nn.model.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.autograd.Autograd;
import io.gradus.autograd.Variable;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.Given;
import io.gradus.nn.KeyValueCache;
import io.gradus.nn.Losses;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.PretrainedModel.Input;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Logits, losses and gradients are compared with transformers in the parity tests of the train module. */
class LlamaTest {
    private static final LlamaConfig CONFIG = LlamaConfig.of(11, 12, 20, 2, 6, 2, 16);

    @TempDir
    private Path folder;

    private static Llama model() {
        return Given.randomized(new Llama(CONFIG, Given.weights()));
    }

    private static float[] logits(LanguageModel model, Input input) {
        return Autograd.noGrad(() -> model.forward(input)).value().toFloats();
    }

    // ---- parts ----

    @Test
    void namesAndShapesAreHuggingFaces() {
        Map<String, Variable> named = model().namedParameters();
        assertThat(named).hasSize(2 + 2 * 9);
        assertThat(named.get("model.embed_tokens.weight").shape()).isEqualTo(Shape.of(11, 12));
        assertThat(named.get("model.layers.1.self_attn.q_proj.weight").shape()).isEqualTo(Shape.of(12, 12));
        assertThat(named.get("model.layers.1.self_attn.k_proj.weight").shape()).isEqualTo(Shape.of(4, 12));
        assertThat(named.get("model.layers.0.mlp.down_proj.weight").shape()).isEqualTo(Shape.of(12, 20));
        assertThat(named.get("model.layers.0.post_attention_layernorm.weight").shape())
                .isEqualTo(Shape.of(12));
        assertThat(named).containsKeys("model.norm.weight", "model.layers.0.input_layernorm.weight");
        assertThat(named).doesNotContainKey("lm_head.weight");
    }

    @Test
    void untiedModelHasAnLmHead() {
        Llama untied = new Llama(tied(false), Given.weights());
        assertThat(untied.namedParameters()).hasSize(2 + 2 * 9 + 1).containsKey("lm_head.weight");
        assertThat(untied.forward(Input.of(Given.ids(1, 1, 2))).shape()).isEqualTo(Shape.of(1, 2, 11));
    }

    private static LlamaConfig tied(boolean tied) {
        return LlamaConfig.read(CONFIG.toJson().set("tie_word_embeddings", tied));
    }

    @Test
    void newModelHasUnitNormsAndWeightsOfInitializerRange() {
        Llama model = new Llama(LlamaConfig.of(100, 64, 128, 1, 4, 4, 16), Given.weights());
        for (var entry : model.namedParameters().entrySet()) {
            double[] x = entry.getValue().value().toDoubles();
            double squares = IntStream.range(0, x.length)
                    .mapToDouble(i -> x[i] * x[i])
                    .average()
                    .orElseThrow();
            boolean norm = entry.getKey().contains("norm");
            assertThat(Math.sqrt(squares)).as(entry.getKey()).isCloseTo(norm ? 1 : 0.02, within(norm ? 0 : 0.001));
        }
    }

    // ---- results ----

    @Test
    void logitsDoNotDependOnLaterTokens() {
        Llama model = model();
        float[] a = logits(model, Input.of(Given.ids(1, 1, 2, 3, 4)));
        float[] b = logits(model, Input.of(Given.ids(1, 1, 2, 3, 9)));
        assertThat(Arrays.copyOf(b, 33)).isEqualTo(Arrays.copyOf(a, 33));
        assertThat(b).isNotEqualTo(a);
    }

    @Test
    void everyParameterReceivesAGradient() {
        Llama model = new Llama(tied(false), Given.weights());
        int[] ids = {1, 2, 3, 4, 5, 6};
        Tensor targets = Tensor.of(Losses.shiftLabels(ids, 3), 2, 3);
        model.forward(Input.of(Given.ids(2, ids))).crossEntropy(targets).backward();
        assertThat(model.namedParameters()).allSatisfy((_, parameter) -> {
            assertThat(parameter.grad()).isNotNull();
            assertThat(parameter.grad().toDoubles()).matches(Given::isNotZero);
        });
    }

    @Test
    void cachedBatchEqualsFullBatch() {
        Llama model = model();
        int[] ids = {1, 2, 3, 4, 5, 9, 8, 7, 6, 5};
        float[] atOnce = logits(model, Input.of(Given.ids(2, ids)));
        KeyValueCache cache = model.newCache(5);
        List<float[]> parts = new ArrayList<>();
        for (int[] step : new int[][] {{1, 2, 3, 9, 8, 7}, {4, 6}, {5, 5}}) {
            Tensor tokens = Given.ids(2, step);
            parts.add(logits(model, Autograd.noGrad(() -> Input.next(tokens, cache))));
        }
        for (int row = 0; row < 2; row++) {
            for (int i = 0; i < 11; i++) {
                assertThat(parts.get(2)[row * 11 + i]).isCloseTo(atOnce[(row * 5 + 4) * 11 + i], within(1e-4f));
                assertThat(parts.get(0)[(row * 3 + 1) * 11 + i])
                        .isCloseTo(atOnce[(row * 5 + 1) * 11 + i], within(1e-4f));
            }
        }
    }

    @Test
    void moreTokensThanTheContextAreRejected() {
        assertThatThrownBy(() -> model().forward(Input.of(Given.ids(1, new int[17]))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("16");
    }

    // ---- files ----

    private void write(LlamaConfig config, List<NamedTensor> tensors) throws IOException {
        Files.writeString(folder.resolve("config.json"), config.toJson().toString());
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    }

    private static List<NamedTensor> tensors(Llama model, DType dtype) {
        List<NamedTensor> tensors = new ArrayList<>();
        model.namedParameters().forEach((name, p) -> tensors.add(NamedTensor.of(name, p.value(), dtype)));
        return tensors;
    }

    private Llama load() throws IOException {
        return (Llama) LanguageModel.load(folder, Device.cpu());
    }

    @Test
    void modelLoadsWhatWasSaved() throws IOException {
        Llama model = model();
        write(CONFIG, tensors(model, DType.F32));
        Llama loaded = load();
        assertThat(loaded.config()).isEqualTo(CONFIG);
        assertThat(loaded.vocabSize()).isEqualTo(11);
        assertThat(loaded.contextLength()).isEqualTo(16);
        Input input = Input.of(Given.ids(1, 1, 2, 3));
        assertThat(logits(loaded, input)).isEqualTo(logits(model, input));
    }

    @Test
    void bf16CheckpointLoadsAsF32() throws IOException {
        Llama model = model();
        write(CONFIG, tensors(model, DType.BF16));
        Llama loaded = load();
        model.namedParameters().forEach((name, parameter) -> {
            Variable read = loaded.namedParameters().get(name);
            assertThat(read.value().dtype()).isEqualTo(DType.F32);
            assertThat(read.value().toFloats())
                    .isEqualTo(parameter.value().to(DType.BF16).toFloats());
        });
    }

    @Test
    void buffersOfOldCheckpointsAreIgnored() throws IOException {
        Llama model = model();
        List<NamedTensor> tensors = tensors(model, DType.F32);
        tensors.add(NamedTensor.of("lm_head.weight", model.lmHeadWeight().value()));
        tensors.add(NamedTensor.of("model.layers.0.self_attn.rotary_emb.inv_freq", Given.random(1, 1)));
        write(CONFIG, tensors);
        assertThat(load().parameters()).hasSize(2 + 2 * 9);
    }

    @Test
    void missingConfigOrWeightsIsRejected() throws IOException {
        assertThatThrownBy(this::load).isInstanceOf(IOException.class).hasMessageContaining("it is empty");
        write(CONFIG, tensors(model(), DType.F32));
        Files.delete(folder.resolve("model.safetensors"));
        assertThatThrownBy(this::load)
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("model.safetensors");
    }

    @Test
    void missingAndUnexpectedTensorsAreReportedTogether() throws IOException {
        List<NamedTensor> tensors = tensors(model(), DType.F32);
        tensors.removeIf(tensor -> tensor.name().contains("layers.1.mlp"));
        tensors.removeIf(tensor -> tensor.name().equals("model.norm.weight"));
        tensors.add(NamedTensor.of("model.layers.0.mlp.gate_proj.bias", Given.random(1, 20)));
        tensors.add(NamedTensor.of("model.norm.weight", Given.random(1, 13)));
        write(CONFIG, tensors);
        assertThatThrownBy(this::load)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("missing in the file: model.layers.1.mlp.gate_proj.weight,"
                        + " model.layers.1.mlp.up_proj.weight, model.layers.1.mlp.down_proj.weight")
                .hasMessageContaining("model.norm.weight is [13] in the file and [12] in the model")
                .hasMessageContaining("in the file but not in the model: model.layers.0.mlp.gate_proj.bias");
    }

    @Test
    void unsupportedDtypeInTheFileIsAnIOException() throws IOException {
        write(CONFIG, tensors(model(), DType.F32));
        byte[] header =
                "{\"model.embed_tokens.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[11,12],\"data_offsets\":[0,132]}}"
                        .getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + 132).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length).put(header);
        Files.write(folder.resolve("model.safetensors"), file.array());
        assertThatThrownBy(this::load)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("model.safetensors")
                .hasMessageContaining("F8_E4M3");
    }

    @Test
    void sameSeedGivesTheSameModel() {
        Llama a = new Llama(CONFIG, WeightSource.random(Device.cpu(1), 3));
        Llama b = new Llama(CONFIG, WeightSource.random(Device.cpu(2), 3));
        a.namedParameters()
                .forEach((name, parameter) -> assertThat(parameter.value().toFloats())
                        .as(name)
                        .isEqualTo(b.namedParameters().get(name).value().toFloats()));
    }
}
