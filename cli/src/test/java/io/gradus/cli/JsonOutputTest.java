package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JSON is all that a command prints to standard output, while progress goes to the terminal, and has the numbers of the text. */
class JsonOutputTest {
    @TempDir
    private Path folder;

    private Path model = Path.of("");
    private Path text = Path.of("");

    @BeforeEach
    void write() {
        System.setProperty("gradus.terminal", "err");
        model = TinyModel.write(folder.resolve("model"));
        text = TinyModel.writeText(folder.resolve("text.txt"), 60);
    }

    @AfterEach
    void forgetTerminal() {
        System.clearProperty("gradus.terminal");
    }

    private static String gradus(Object... words) {
        StringWriter out = new StringWriter();
        String[] arguments = Stream.of(words).map(Object::toString).toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(new StringWriter()), arguments);
        assertThat(code).isZero();
        return out.toString();
    }

    private static JsonNode json(Object... words) throws IOException {
        return new ObjectMapper().readTree(gradus(words));
    }

    @Test
    void evaluationHasTheNumbersOfTheText() throws IOException {
        JsonNode json = json("evaluate", "--model", model, "--data", text, "--json");
        String words = gradus("evaluate", "--model", model, "--data", text);

        assertThat(json.propertyStream().map(Map.Entry::getKey))
                .containsExactly("loss", "perplexity", "tokens", "blocks", "block_length", "warnings");
        assertThat(words)
                .contains(String.format(
                        Locale.ROOT, "%.7f nats per token", json.get("loss").doubleValue()));
        assertThat(json.get("perplexity").doubleValue())
                .isCloseTo(Math.exp(json.get("loss").doubleValue()), within(1e-9));
        assertThat(words.replace(",", ""))
                .contains(json.get("tokens").intValue() + " in "
                        + json.get("blocks").intValue() + " blocks of "
                        + json.get("block_length").intValue());
        assertThat(json.get("warnings")).isEmpty();
    }

    @Test
    void accuracyIsTheShareOfCorrectLabels() throws IOException {
        Path labeled = Files.writeString(folder.resolve("a.csv"), "text,label\nred,a\nblue,b\ngreen,a\n");
        JsonNode json =
                json("evaluate", "--model", model, "--data", labeled, "--format", "csv", "--accuracy", "--json");

        assertThat(json.get("texts").intValue()).isEqualTo(3);
        assertThat(json.get("correct").intValue()).isBetween(0, 3);
        assertThat(json.get("accuracy").doubleValue())
                .isEqualTo(json.get("correct").intValue() / 3.0);
    }

    @Test
    void deltaHasTheSumOfItsLayers() throws IOException {
        Path delta = folder.resolve("d.safetensors");
        Path other = TinyModel.write(folder.resolve("other"));
        gradus(
                "finetune",
                "model.path=" + model,
                "data.train=" + text,
                "output=" + folder.resolve("tuned"),
                "steps=1",
                "batch_size=1",
                "max_eval_blocks=1",
                "sample.max_tokens=0");
        gradus("delta", "diff", other, folder.resolve("tuned"), "-o", delta);
        JsonNode json = json("delta", "info", delta, "--json");

        long changed = 0;
        for (JsonNode layer : json.get("layers")) {
            changed += layer.get("changed").longValue();
        }
        assertThat(json.path("total").path("changed").longValue())
                .isEqualTo(changed)
                .isPositive();
        assertThat(json.get("files").isArray()).isTrue();
    }
}
