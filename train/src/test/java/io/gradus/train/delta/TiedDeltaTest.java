package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.core.safetensors.NamedTensor;
import io.gradus.core.safetensors.SafetensorsWriter;
import io.gradus.nn.WeightSource;
import io.gradus.nn.model.ConfigJson;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelConfig;
import io.gradus.nn.model.ModelFolder;
import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.nn.model.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The delta of a model with a tied output layer restores the tuned model, in whichever form the base has the weight. */
class TiedDeltaTest {
    private static final String HEAD = "lm_head.weight";

    /** What a base has besides or instead of the embedding table. */
    private enum Base {
        TABLE,
        BOTH,
        BOTH_WITH_DIFFERENT_DTYPES,
        BOTH_DIFFERENT,
        HEAD
    }

    static Stream<Arguments> cases() {
        List<ModelConfig> families = List.of(LlamaConfig.of(11, 8, 12, 1, 2, 1, 16), Gpt2Config.of(11, 8, 1, 2, 16));
        return families.stream().flatMap(config -> Stream.of(Base.values()).map(base -> Arguments.of(config, base)));
    }

    @TempDir
    private Path folder;

    @ParameterizedTest
    @MethodSource("cases")
    void applyingTheDeltaRestoresTheTunedModel(ModelConfig config, Base form) throws IOException {
        Path base = base(config, form);
        Path tuned = folder.resolve("tuned");
        LanguageModel model = ModelFolder.open(base).load(Device.cpu());
        for (var parameter : model.parameters()) {
            Tensor weight = parameter.value();
            float[] changed = weight.toFloats();
            for (int i = 0; i < changed.length; i++) {
                changed[i] += (i % 3) / 64f;
            }
            weight.copyFrom(Tensor.of(changed, weight.shape().toArray()));
        }
        ModelFolder.open(base).save(model, tuned);

        Path delta = folder.resolve("delta.safetensors");
        Delta.diff(base, tuned, delta);
        Path sum = folder.resolve("sum");
        assertThat(DeltaSum.of(base).plus(delta, 1).write(sum).exact()).isTrue();

        assertThat(TestModel.bits(sum)).isEqualTo(TestModel.bits(tuned));
        assertThat(ConfigJson.read(sum).flag("tie_word_embeddings", true)).isEqualTo(form != Base.BOTH_DIFFERENT);
        LanguageModel restored = ModelFolder.open(sum).load(Device.cpu());
        assertThat(restored.lmHeadWeight().value().toFloats())
                .isEqualTo(model.lmHeadWeight().value().toFloats());
        assertThat(restored.namedParameters().keySet())
                .isEqualTo(model.namedParameters().keySet());
    }

    private Path base(ModelConfig config, Base form) throws IOException {
        LanguageModel model = config.build(WeightSource.random(Device.cpu(), 5).to(DType.BF16));
        String table = config.wordEmbeddings().orElseThrow().table();
        Tensor head = form == Base.BOTH_DIFFERENT
                ? Tensor.of(new float[88], 11, 8)
                : model.lmHeadWeight().value();
        List<NamedTensor> tensors = new ArrayList<>();
        model.namedParameters().forEach((name, parameter) -> {
            if (form != Base.HEAD || !name.equals(table)) {
                tensors.add(NamedTensor.of(name, parameter.value()));
            }
        });
        if (form != Base.TABLE) {
            DType dtype = form == Base.BOTH_WITH_DIFFERENT_DTYPES ? DType.F32 : DType.BF16;
            tensors.add(NamedTensor.of(HEAD, head, dtype));
        }
        Path base = folder.resolve("base");
        Files.createDirectories(base);
        Files.writeString(base.resolve("config.json"), config.toJson().toString());
        SafetensorsWriter.writeCheckpoint(base, tensors, Map.of("format", "pt"), 600);
        return base;
    }
}
