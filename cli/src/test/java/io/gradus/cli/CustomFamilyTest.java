package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.TinyModel;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that the commands work with a user-defined {@link io.gradus.nn.model.ModelFamily}. */
class CustomFamilyTest {
    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        model = TinyModel.write(folder.resolve("model"), new CustomFamily.Config(257, 16, 2, 32));
        text = TinyModel.writeText(folder.resolve("text.txt"), 100);
    }

    private static String gradus(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = Stream.of(args).map(Object::toString).toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), words);
        assertThat(code).as(err.toString()).isZero();
        return out.toString();
    }

    private static double loss(String evaluation) {
        return Double.parseDouble(evaluation.lines().findFirst().orElseThrow().split(" +")[1]);
    }

    @Test
    void finetuneLowersTheLossOfACustomFamily() {
        double before = loss(gradus("evaluate", "--model", model, "--data", text));
        Path output = folder.resolve("out");
        gradus(
                "finetune",
                "model.path=" + model,
                "data.train=" + text,
                "output=" + output,
                "batch_size=4",
                "learning_rate=0.02",
                "layer_decay=0.9",
                "activation_checkpointing=true",
                "sample.max_tokens=4",
                "warmup_ratio=0",
                "steps=40");
        assertThat(before).isBetween(5.4, 5.7); // ln 257 = 5.55
        assertThat(loss(gradus("evaluate", "--model", output, "--data", text))).isLessThan(0.7 * before);
        assertThat(gradus("generate", "--model", output, "--prompt", "The cat", "--max-tokens", "20"))
                .startsWith("The cat")
                .hasSizeGreaterThan(20);
    }

    @Test
    void inspectListsTensorsOfACustomFamily() {
        assertThat(gradus("inspect", model))
                .contains("\"model_type\" : \"bigram\"")
                .containsPattern("layers.1.weight +F32 +\\[16, 16]")
                .contains("6 tensors");
    }

    @Test
    void memoryPlansARunOfACustomFamily() {
        assertThat(gradus("memory", "--model", model, "batch_size=4"))
                .contains("8,768 parameters"); // 2·257·16 + 2·(16·16 + 16)
    }
}
