package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.Device;
import io.gradus.core.Tensor;
import io.gradus.data.tokenizer.Tokenizer;
import io.gradus.nn.model.LanguageModel;
import io.gradus.nn.model.ModelFolder;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command that computes with a damaged model fails, prints no NaN, and names the weight or the layer. */
class NonFiniteModelTest {
    private static final String WEIGHT = "model.layers.0.mlp.up_proj.weight";

    @TempDir
    private Path folder;

    private record Ran(int code, String out, String err) {}

    /** Replaces MODEL, TEXT, CSV and OUT. */
    private Ran gradus(String command) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = command.split(" ");
        for (int i = 0; i < words.length; i++) {
            words[i] = words[i].replace("MODEL", folder.resolve("broken").toString())
                    .replace("TEXT", folder.resolve("text.txt").toString())
                    .replace("CSV", folder.resolve("labels.csv").toString())
                    .replace("OUT", folder.resolve("out").toString());
        }
        return new Ran(Main.run(new PrintWriter(out), new PrintWriter(err), words), out.toString(), err.toString());
    }

    /** Writes a model whose element 7 of one weight has a value. */
    private void write(float value, int elements) throws IOException {
        TinyModel.writeText(folder.resolve("text.txt"), 60);
        Files.writeString(folder.resolve("labels.csv"), "text,label\nred,a\nblue,b\n");
        ModelFolder whole = new ModelFolder(TinyModel.write(folder.resolve("model")));
        LanguageModel model = whole.load(Device.cpu(1));
        Tensor weight =
                Objects.requireNonNull(model.namedParameters().get(WEIGHT)).value();
        float[] values = weight.toFloats();
        for (int i = 0; i < elements; i++) {
            values[(7 + i) % values.length] = value;
        }
        weight.copyFrom(Tensor.of(values, weight.shape().toArray()));
        Tokenizer.load(whole.path()).save(folder.resolve("broken"));
        whole.save(model, folder.resolve("broken"));
    }

    private void assertFails(String command, String cause) {
        Ran ran = gradus(command);
        assertThat(ran.err()).contains(cause).doesNotContain("\tat ", "Exception");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.out()).doesNotContain("NaN", "Infinity");
        assertThat(folder.resolve("out/model.safetensors")).doesNotExist();
        assertThat(folder.resolve("out/metrics.jsonl")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evaluate --model MODEL --data TEXT",
                "evaluate --model MODEL --data CSV --format csv --accuracy",
                "evaluate --model MODEL --data TEXT --json",
                "generate --model MODEL --prompt The",
                "generate --model MODEL --prompt The --temperature 0 --no-cache",
                "finetune model.path=MODEL data.train=TEXT output=OUT steps=2",
                "finetune model.path=MODEL data.train=TEXT output=OUT steps=2 check_first_loss=false",
                "finetune model.path=MODEL data.train=TEXT output=OUT steps=2 check_first_loss=false spike_z=5",
                "finetune model.path=MODEL data.train=TEXT output=OUT steps=2 ema_decay=0.9 wise_ft_alpha=0.5",
                "finetune model.path=MODEL data.train=TEXT data.general=TEXT output=OUT steps=2 ewc=1 ewc_samples=2",
                "finetune model.path=MODEL data.train=TEXT output=OUT steps=2 precision=bf16",
                "finetune --dry-run model.path=MODEL data.train=TEXT",
                "finetune --overfit-one-batch model.path=MODEL data.train=TEXT",
                "lr model.path=MODEL data.train=TEXT --steps 20",
                "study memory --model MODEL data.train=TEXT steps=2 -o OUT",
                "study forgetting --model MODEL data.train=TEXT steps=2 -o OUT",
            })
    void weightWithNanIsNamed(String command) throws IOException {
        write(Float.NaN, 1);
        assertFails(command, "the weight " + WEIGHT + " has NaN at [0, 7]; 1 of its 384 numbers is not finite");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evaluate --model MODEL --data TEXT",
                "generate --model MODEL --prompt The",
                "finetune model.path=MODEL data.train=TEXT output=OUT steps=2 check_first_loss=false",
                "lr model.path=MODEL data.train=TEXT --steps 20",
            })
    void layerThatOverflowsIsNamed(String command) throws IOException {
        write(3e38f, 384);
        assertFails(
                command,
                "all weights are finite, but activations overflow: the first result that is not is that of linear in"
                        + " model.layers.0.mlp.up_proj");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "delta diff WHOLE MODEL -o OUT",
                "delta diff MODEL WHOLE -o OUT",
                "delta diff MODEL MODEL -o OUT",
                "delta apply MODEL DELTA -o OUT --force",
                "delta apply MODEL DELTA:0.5 DELTA:0.5 -o OUT --force"
            })
    void deltaNamesTheFileTheTensorAndTheElement(String command) throws IOException {
        write(Float.NaN, 1);
        Path whole = folder.resolve("model");
        Path delta = folder.resolve("delta.safetensors");
        assertThat(gradus("delta diff " + whole + " " + whole + " -o " + delta).code())
                .isZero();
        assertFails(
                command.replace("WHOLE", whole.toString()).replace("DELTA", delta.toString()),
                folder.resolve("broken/model.safetensors") + ": tensor '" + WEIGHT + "' has NaN at [0, 7]");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    /** Only a damaged file has such statistics. */
    @Test
    void deltaInfoRejectsStatisticsThatAreNotFinite() throws IOException {
        write(1, 1);
        Path delta = folder.resolve("delta.safetensors");
        gradus("delta diff " + folder.resolve("model") + " MODEL -o " + delta);
        String content = Files.readString(delta, StandardCharsets.ISO_8859_1);
        String damaged = content.replaceFirst("largest\\\\\":[0-9.]{5}", "largest\\\\\":1e999");
        assertThat(damaged).isNotEqualTo(content).hasSameSizeAs(content);
        Files.writeString(delta, damaged, StandardCharsets.ISO_8859_1);
        assertFails("delta info " + delta, delta + ": its metadata is damaged (largest is Infinity)");
        assertFails("delta info " + delta + " --json", "largest is Infinity");
    }
}
