package io.gradus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.train.TinyModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code gradus finetune task=sequence_classification}, then {@code gradus predict}. */
class PredictCommandTest {
    @TempDir
    private static Path folder;

    private record Ran(int code, String out, String err) {}

    private static Ran gradus(String command) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = command.replace("DIR", folder.toString()).split(" ");
        return new Ran(Main.run(new PrintWriter(out), new PrintWriter(err), words), out.toString(), err.toString());
    }

    @BeforeAll
    static void train() throws IOException {
        TinyModel.write(folder.resolve("model"));
        StringBuilder csv = new StringBuilder("text,label\n");
        for (int i = 0; i < 24; i++) {
            csv.append(i % 2 == 0 ? "\"good, number " + i + "\",yes\n" : "bad " + i + ",no\n");
        }
        Files.writeString(folder.resolve("train.csv"), csv);
        Ran ran = gradus(
                "finetune model.path=DIR/model data.train=DIR/train.csv task=sequence_classification output=DIR/out"
                        + " steps=3 eval_steps=2 threads=1 data.validation_split=0.25");
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out())
                .contains("accuracy", "macro f1", "examples/s", "class, predicted as")
                .containsPattern("class +precision +recall +F1 +examples")
                .doesNotContain("sample");
    }

    @Test
    void textsGetLabelsAndProbabilities() throws IOException {
        Files.writeString(folder.resolve("new.csv"), "id,text\n1,\"good, or \"\"bad\"\"\"\n2,bad\n");
        Ran ran = gradus("predict --model DIR/out --data DIR/new.csv --threads 1");
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out().lines().toList()).hasSize(3).first().isEqualTo("text,label,no,yes");
        assertThat(ran.out()).containsPattern("\"good, or \"\"bad\"\"\",(yes|no),0\\.[0-9]{6},0\\.[0-9]{6}\n");
    }

    @Test
    void namesInTextsHaveTheirPlaces() throws IOException {
        Files.writeString(folder.resolve("train.conll"), "Ada B-PER\nsings O\n\nOslo B-LOC\nrains O\n\n".repeat(8));
        Ran ran = gradus(
                "finetune model.path=DIR/model data.train=DIR/train.conll task=token_classification output=DIR/names"
                        + " steps=40 learning_rate=0.02 eval_steps=20 threads=1 data.validation_split=0.25");
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).contains("entity f1").doesNotContain("sample");
        assertThat(folder.resolve("names/report.html")).content().contains("token-classification");
        Files.writeString(folder.resolve("texts.jsonl"), "{\"text\": \"Ada sings\"}\n");
        assertThat(gradus("predict --model DIR/names --data DIR/texts.jsonl --threads 1")
                        .out())
                .startsWith("text,start,end,type,name,score\nAda sings,0,3,PER,Ada,0.");
        assertThat(gradus("predict --model DIR/names --data DIR/texts.jsonl --threads 1 --format jsonl")
                        .out())
                .startsWith(
                        "{\"text\":\"Ada sings\",\"entities\":[{\"type\":\"PER\",\"text\":\"Ada\",\"start\":0,\"end\":3,");
    }

    @Test
    void jsonLinesAreWrittenToAFile() throws IOException {
        Files.writeString(folder.resolve("new.jsonl"), "{\"body\": \"good\"}\n");
        Ran ran = gradus(
                "predict --model DIR/out --data DIR/new.jsonl --text-column body --format jsonl --out DIR/made.jsonl"
                        + " --threads 1");
        assertThat(ran.code()).as(ran.err()).isEqualTo(0);
        assertThat(Files.readString(folder.resolve("made.jsonl")))
                .matches(
                        "\\{\"text\":\"good\",\"label\":\"(yes|no)\",\"scores\":\\{\"no\":0\\.[0-9]+,\"yes\":0\\.[0-9]+}}\n");
    }

    @Test
    void reportShowsTheClasses() throws IOException {
        assertThat(Files.readString(folder.resolve("out/report.html")))
                .contains("Held-out examples", "matthews correlation", "precision", "pipeline(")
                .doesNotContain("Forgetting was not measured", "perplexity 2");
    }

    @Test
    void languageModelIsNoClassifier() {
        Ran ran = gradus("predict --model DIR/model --data DIR/train.csv");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("does not hold a classifier of texts", "task=sequence_classification");
    }
}
