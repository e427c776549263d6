package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.nn.model.gpt2.Gpt2Config;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that the commands work with a GPT-2. */
class Gpt2CommandsTest {
    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        model = TinyModel.write(folder.resolve("model"), Gpt2Config.of(257, 16, 1, 2, 32));
        text = TinyModel.writeText(folder.resolve("text.txt"), 100);
    }

    private static String gradus(int expectedCode, Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = Stream.of(args).map(Object::toString).toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), words);
        assertThat(code).as(err.toString()).isEqualTo(expectedCode);
        return code == 0 ? out.toString() : err.toString();
    }

    private String finetune(int expectedCode, String output, String... overrides) {
        Stream<Object> keys = Stream.of(
                "finetune",
                "model.path=" + model,
                "data.train=" + text,
                "output=" + folder.resolve(output),
                "batch_size=4",
                "learning_rate=0.02",
                "sample.max_tokens=4",
                "warmup_ratio=0");
        return gradus(expectedCode, Stream.concat(keys, Stream.of(overrides)).toArray());
    }

    private static double loss(String evaluation) {
        return Double.parseDouble(evaluation.lines().findFirst().orElseThrow().split(" +")[1]);
    }

    @Test
    void finetuneLowersTheLossOfAGpt2() {
        double before = loss(gradus(0, "evaluate", "--model", model, "--data", text));
        assertThat(finetune(0, "out", "steps=40")).contains("held-out text");
        double after = loss(gradus(0, "evaluate", "--model", folder.resolve("out"), "--data", text));
        assertThat(before).isBetween(5.4, 5.7); // ln 257 = 5.55
        assertThat(after).isLessThan(0.7 * before);
    }

    @Test
    void generateWithoutCacheWritesTheSameText() {
        String[] options = {"generate", "--model", model.toString(), "--prompt", "The cat", "--max-tokens", "50"};
        String cached = gradus(0, (Object[]) options);
        assertThat(cached).startsWith("The cat").hasSizeGreaterThan(20);
        assertThat(gradus(
                        0,
                        Stream.concat(Stream.of(options), Stream.of("--no-cache"))
                                .toArray()))
                .isEqualTo(cached);
    }

    @Test
    void inspectListsTensorsOfAGpt2() {
        assertThat(gradus(0, "inspect", model))
                .contains("\"model_type\" : \"gpt2\"")
                .containsPattern("transformer.h.0.attn.c_attn.weight +F32 +\\[16, 48]")
                .contains("16 tensors");
    }

    @Test
    void blocksLongerThanNPositionsAreRejected() {
        assertThat(finetune(2, "out", "steps=2", "data.max_seq_len=33"))
                .contains("data.max_seq_len is 33, but the context length of the model is 32")
                .contains("n_positions");
        assertThat(gradus(2, "evaluate", "--model", model, "--data", text, "--block-length", 33))
                .contains("--block-length is 33; it must be from 2 to the model's context, 32");
    }

    @Test
    void resumedGpt2RunEndsWithTheSameBytes() throws IOException {
        finetune(0, "whole", "steps=6", "save_steps=4");
        finetune(0, "again", "steps=6", "save_steps=4");
        Files.delete(folder.resolve("again/model.safetensors"));
        finetune(0, "again", "steps=6", "save_steps=4", "resume=true");
        assertThat(folder.resolve("again/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("whole/model.safetensors"));
    }
}
