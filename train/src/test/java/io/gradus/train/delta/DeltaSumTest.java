package io.gradus.train.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.train.FineTuning;
import io.gradus.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** One delta gives the tuned model to the bit; several add up; what cannot be right is refused and leaves nothing. */
class DeltaSumTest {
    @TempDir
    private Path folder;

    private Path delta(Path base, Path tuned) throws IOException {
        return Delta.diff(base, tuned, folder.resolve(tuned.getFileName() + ".safetensors"))
                .file();
    }

    private void assertRoundTrip(Path base, Path tuned) throws IOException {
        Path again = folder.resolve("again-" + tuned.getFileName());
        DeltaSum.Written written = DeltaSum.of(base).plus(delta(base, tuned), 1).write(again);

        assertThat(TestModel.bits(again)).isEqualTo(TestModel.bits(tuned));
        assertThat(written.folder()).isEqualTo(again);
        assertThat(written.tensors()).isEqualTo(TestModel.bits(tuned).size());
        assertThat(written.exact()).isTrue();
    }

    private void assertNothingLeft(String... expected) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder(expected);
        }
    }

    // ---- bit for bit ----

    @ParameterizedTest
    @CsvSource({"F32, F32", "BF16, BF16", "F16, F16", "BF16, F32", "F16, F32", "F32, BF16", "F32, F16", "BF16, F16"})
    void deltaRestoresAnyBits(DType before, DType after) throws IOException {
        var random = new SplittableRandom(7);
        int n = 200_001; // several runs and a rest
        Path base = new TestModel()
                .withBits("w", before, TestModel.anyBits(random, before, n))
                .write(folder.resolve("base"));
        Path tuned = new TestModel()
                .withBits("w", after, TestModel.anyBits(random, after, n))
                .write(folder.resolve("tuned"));

        assertRoundTrip(base, tuned);
        assertThat(Delta.read(folder.resolve("tuned.safetensors")).tensors().getFirst())
                .satisfies(tensor -> assertThat(tensor.inexpressible())
                        .as("an F32 cannot hold all differences of wide numbers")
                        .matches(overflows -> overflows > 0 || before == DType.F16 && after == DType.F32))
                .satisfies(tensor -> assertThat(tensor.corrections()).isGreaterThan(tensor.inexpressible()));
    }

    @ParameterizedTest
    @CsvSource({"F32, F32", "BF16, BF16", "F16, F16", "BF16, F32", "F32, BF16"})
    void deltaRestoresTrainedWeights(DType before, DType after) throws IOException {
        var random = new SplittableRandom(8);
        int n = 100_000;
        float[] weights = new float[n];
        float[] moved = new float[n];
        for (int i = 0; i < n; i++) {
            weights[i] = (float) (0.02 * random.nextGaussian());
            moved[i] = weights[i] + (float) (1e-4 * random.nextGaussian());
        }
        Path base =
                new TestModel().with("w", before, Shape.of(100, 1000), weights).write(folder.resolve("base"));
        Path tuned =
                new TestModel().with("w", after, Shape.of(100, 1000), moved).write(folder.resolve("tuned"));

        assertRoundTrip(base, tuned);
        TensorDelta tensor =
                Delta.read(folder.resolve("tuned.safetensors")).tensors().getFirst();
        assertThat(tensor.inexpressible()).isZero();
        assertThat(tensor.corrections()).as("few are needed").isLessThan(n / 50);
    }

    @Test
    void deltaRestoresEveryF32F16AndBf16FromZero() throws IOException {
        for (DType dtype : List.of(DType.BF16, DType.F16)) {
            int[] all = TestModel.allBits(dtype);
            Path base =
                    new TestModel().withBits("w", dtype, new int[all.length]).write(folder.resolve("base" + dtype));
            Path tuned = new TestModel().withBits("w", dtype, all).write(folder.resolve("tuned" + dtype));

            assertRoundTrip(base, tuned);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F16"})
    void deltaRestoresTheSignOfZero(DType dtype) throws IOException {
        Path base = TestModel.single(folder.resolve("base"), dtype, 0f, -0f, 0f, -0f, 1f, -1f);
        Path tuned = TestModel.single(folder.resolve("tuned"), dtype, 0f, -0f, -0f, 0f, -0f, 0f);

        assertRoundTrip(base, tuned);
    }

    @Test
    void shardsAndDtypesMayDifferByTensor() throws IOException {
        TestModel base = new TestModel().shards(20);
        TestModel tuned = new TestModel().shards(33);
        for (int i = 0; i < 7; i++) {
            DType dtype = i % 2 == 0 ? DType.F32 : DType.BF16;
            base.with("layers." + i + ".weight", dtype, 1, 2, 3, i);
            tuned.with("layers." + i + ".weight", dtype, 1, 2.5f, 3, 2 * i);
        }

        assertRoundTrip(base.write(folder.resolve("base")), tuned.write(folder.resolve("tuned")));
        assertThat(folder.resolve("base/model.safetensors.index.json")).exists();
    }

    @Test
    void deltaRestoresScalarAndEmptyTensors() throws IOException {
        Path base = new TestModel()
                .with("scale", DType.F32, Shape.scalar(), 1f)
                .with("none", DType.F32, Shape.of(0, 4))
                .write(folder.resolve("base"));
        Path tuned = new TestModel()
                .with("scale", DType.F32, Shape.scalar(), 3f)
                .with("none", DType.F32, Shape.of(0, 4))
                .write(folder.resolve("tuned"));

        assertRoundTrip(base, tuned);
    }

    @Test
    void deltaRestoresAModelTiedInOneFile() throws IOException {
        float[] embedding = {1, 2, 3, 4};
        float[] moved = {1, 2, 3, 5};
        Path once = new TestModel()
                .with("model.embed_tokens.weight", DType.F32, embedding)
                .write(folder.resolve("once"));
        Path twice = new TestModel()
                .with("lm_head.weight", DType.F32, embedding)
                .with("model.embed_tokens.weight", DType.F32, embedding)
                .write(folder.resolve("twice"));
        Path movedOnce = new TestModel()
                .with("model.embed_tokens.weight", DType.F32, moved)
                .write(folder.resolve("movedOnce"));
        Path movedTwice = new TestModel()
                .with("lm_head.weight", DType.F32, moved)
                .with("model.embed_tokens.weight", DType.F32, moved)
                .write(folder.resolve("movedTwice"));

        assertRoundTrip(once, movedTwice);
        assertRoundTrip(twice, movedOnce);
    }

    @Test
    void deltaRestoresAFineTunedModel() throws IOException {
        Path shared = Path.of(System.getProperty("gradus.shared", "../../shared"));
        Path base = shared.resolve("models/stories260K");
        Path text = shared.resolve("data/tinyshakespeare.txt");
        assumeTrue(Files.isDirectory(base) && Files.isRegularFile(text), shared + " is absent");
        Path excerpt = Files.writeString(
                folder.resolve("text.txt"), Files.readString(text).substring(0, 20_000));
        Path tuned = folder.resolve("tuned");
        Recipe recipe = Recipe.parse(
                "",
                "model.path=" + base,
                "data.train=" + excerpt,
                "output=" + tuned,
                "steps=4",
                "warmup_ratio=0",
                "batch_size=2",
                "max_eval_blocks=2",
                "sample.max_tokens=0",
                "data.max_seq_len=64");
        new FineTuning(recipe).run();

        assertRoundTrip(base, tuned);
        assertThat(folder.resolve("again-tuned/tokenizer.json")).hasSameBinaryContentAs(base.resolve("tokenizer.json"));
        assertThat(Delta.read(folder.resolve("tuned.safetensors")).total().relativeNorm())
                .isBetween(1e-4, 0.1);
    }

    // ---- arithmetic ----

    @Test
    void factorInterpolates() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F32, 1, 2, -3, 0);
        Path tuned = TestModel.single(folder.resolve("tuned"), DType.F32, 2, 2, -1, 8);
        Path delta = delta(base, tuned);

        assertThat(sum(DeltaSum.of(base).plus(delta, 0.5))).containsExactly(1.5f, 2, -2, 4);
        assertThat(sum(DeltaSum.of(base).plus(delta, -1))).containsExactly(0, 2, -5, -8);
        assertThat(sum(DeltaSum.of(base).plus(delta, 0))).containsExactly(1, 2, -3, 0);
        assertThat(sum(DeltaSum.of(base).plus(delta, 3))).containsExactly(4, 2, 3, 24);
    }

    private float[] sum(DeltaSum sum) throws IOException {
        Path result = folder.resolve("sum" + System.nanoTime());
        assertThat(sum.write(result).exact()).isFalse();
        return TestModel.floats(result, "w");
    }

    @Test
    void severalDeltasAdd() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F32, 1, 2, 4);
        Path a = delta(base, TestModel.single(folder.resolve("a"), DType.F32, 2, 2, 4));
        Path b = delta(base, TestModel.single(folder.resolve("b"), DType.F32, 1, 4, 8));

        assertThat(sum(DeltaSum.of(base).plus(a, 1).plus(b, 1))).containsExactly(2, 4, 8);
        assertThat(sum(DeltaSum.of(base).plus(a, 0.5).plus(b, 0.25))).containsExactly(1.5f, 2.5f, 5);
        assertThat(sum(DeltaSum.of(base).plus(a, 1).plus(a, -1))).containsExactly(1, 2, 4);
    }

    @Test
    void sumIsRoundedOnce() throws IOException {
        // In F32 alone, 1 + 2⁻²⁴ is 1, and adding 2⁻²⁴ twice changes nothing.
        float ulp = Math.ulp(1f);
        Path base = TestModel.single(folder.resolve("base"), DType.F32, 1);
        Path delta = delta(base, TestModel.single(folder.resolve("tuned"), DType.F32, 1 + ulp));

        assertThat(sum(DeltaSum.of(base).plus(delta, 0.5).plus(delta, 0.5))).containsExactly(1 + ulp);
    }

    @Test
    void sumOfDifferentDtypesIsF32() throws IOException {
        Path base = new TestModel()
                .with("w", DType.BF16, 1, 2)
                .config("{\"dtype\": \"bfloat16\", \"hidden_size\": 4}")
                .write(folder.resolve("base"));
        Path a = delta(
                base,
                new TestModel()
                        .with("w", DType.BF16, 2, 2)
                        .config("{\"dtype\": \"bfloat16\", \"hidden_size\": 4}")
                        .write(folder.resolve("a")));
        Path b = delta(
                base,
                new TestModel()
                        .with("w", DType.F32, 1, 2.001f)
                        .config("{\"dtype\": \"float32\", \"hidden_size\": 4}")
                        .write(folder.resolve("b")));
        Path both = folder.resolve("both");
        DeltaSum.of(base).plus(a, 1).plus(b, 1).write(both);

        assertThat(TestModel.bits(both).get("w")).startsWith("F32 [2]");
        assertThat(TestModel.floats(both, "w")).containsExactly(2f, 2.001f);
        assertThat(Files.readString(both.resolve("config.json")))
                .as("the one config.json that differs from the base's")
                .isEqualTo("{\"dtype\": \"float32\", \"hidden_size\": 4}");
    }

    // ---- what is refused ----

    @Test
    void otherBaseIsRejectedUnlessForced() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F32, 1, 2);
        Path delta = delta(base, TestModel.single(folder.resolve("tuned"), DType.F32, 1, 3));
        Path other = TestModel.single(folder.resolve("other"), DType.F32, 10, 20);

        assertThatThrownBy(() -> DeltaSum.of(other).plus(delta, 1).write(folder.resolve("sum")))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(
                        delta + ": it was made from another model than " + other,
                        "1 of 1 tensors differ (w)",
                        "'base'");
        assertNothingLeft("base", "tuned", "tuned.safetensors", "other");

        Path forced = folder.resolve("forced");
        DeltaSum.Written written = new DeltaSum(other, List.of(new DeltaSum.Term(delta, 1)), true).write(forced);
        assertThat(written.exact()).isFalse();
        assertThat(TestModel.floats(forced, "w")).containsExactly(10, 21);
    }

    @Test
    void baseOfAnotherArchitectureIsRejectedEvenIfForced() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F32, 1, 2);
        Path delta = delta(base, TestModel.single(folder.resolve("tuned"), DType.F32, 1, 3));
        List<DeltaSum.Term> terms = List.of(new DeltaSum.Term(delta, 1));
        Path longer = TestModel.single(folder.resolve("longer"), DType.F32, 1, 2, 3);
        Path named = new TestModel().with("v", DType.F32, 1, 2).write(folder.resolve("named"));

        assertThatThrownBy(() -> new DeltaSum(longer, terms, true).write(folder.resolve("sum")))
                .hasMessageContainingAll("tensor 'w' is [3]", "[2]", "another architecture");
        assertThatThrownBy(() -> new DeltaSum(named, terms, true).write(folder.resolve("sum")))
                .hasMessageContainingAll("it lacks w", "another architecture");
        assertThat(folder.resolve("sum")).doesNotExist();
    }

    @Test
    void deltasOfDifferentModelsAreRejected() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F32, 1, 2);
        Path delta = delta(base, TestModel.single(folder.resolve("tuned"), DType.F32, 1, 3));
        Path base2 = new TestModel().with("v", DType.F32, 1).write(folder.resolve("base2"));
        Path delta2 = delta(base2, new TestModel().with("v", DType.F32, 2).write(folder.resolve("tuned2")));

        assertThatThrownBy(
                        () -> DeltaSum.of(base).plus(delta, 1).plus(delta2, 1).write(folder.resolve("sum")))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("are not of one model", "v, w");
    }

    @Test
    void overflowingDifferenceCannotBeScaled() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F32, -3e38f, Float.MAX_VALUE);
        Path tuned = TestModel.single(folder.resolve("tuned"), DType.F32, 3e38f, -Float.MAX_VALUE);

        assertRoundTrip(base, tuned);
        Path delta = folder.resolve("tuned.safetensors");
        assertThatThrownBy(() -> DeltaSum.of(base).plus(delta, 0.5).write(folder.resolve("sum")))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("tensor 'w' has 2 elements", "only alone, with factor 1");
        assertThatThrownBy(() -> DeltaSum.of(base).plus(delta, 1).plus(delta, 1).write(folder.resolve("sum")))
                .hasMessageContaining("only alone");
        assertNothingLeft("base", "tuned", "tuned.safetensors", "again-tuned");
    }

    @Test
    void overflowingSumIsRejected() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F16, 1, 60_000);
        Path delta = delta(base, TestModel.single(folder.resolve("tuned"), DType.F16, 1, 65_000));

        assertThatThrownBy(() -> DeltaSum.of(base).plus(delta, 2).write(folder.resolve("sum")))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("tensor 'w': 1 sums are too large for F16", "smaller factors");
        assertNothingLeft("base", "tuned", "tuned.safetensors");
    }

    @Test
    void damagedDifferenceIsFoundByItsHash() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F32, 1, 2);
        Path delta = delta(base, TestModel.single(folder.resolve("tuned"), DType.F32, 1, 3));
        byte[] bytes = Files.readAllBytes(delta);
        bytes[bytes.length - 2] ^= 1;
        Files.write(delta, bytes);

        assertThatThrownBy(() -> DeltaSum.of(base).plus(delta, 1).write(folder.resolve("sum")))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(delta.toString(), "tensor 'w' does not give the tuned weights", "damaged");
        assertNothingLeft("base", "tuned", "tuned.safetensors");
    }

    @Test
    void emptySumAndNonFiniteFactorsAreRejected() {
        assertThatThrownBy(() -> DeltaSum.of(folder).write(folder.resolve("sum")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("nothing to add");
        assertThatThrownBy(() -> DeltaSum.of(folder).plus(folder, Double.NaN))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the factor is NaN");
    }

    @Test
    void nonFiniteWeightsAreNamedBeforeAFolderIsWritten() throws IOException {
        Path base = TestModel.single(folder.resolve("base"), DType.F32, 1, 2);
        Path broken = TestModel.single(folder.resolve("broken"), DType.F32, 1, Float.POSITIVE_INFINITY);
        Path delta = delta(base, TestModel.single(folder.resolve("tuned"), DType.F32, 1, 3));
        DeltaSum other = new DeltaSum(broken, List.of(new DeltaSum.Term(delta, 1)), true);

        assertThatThrownBy(() -> other.write(folder.resolve("sum")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(broken.resolve("model.safetensors") + ": tensor 'w' has Infinity at [1]");
        byte[] bytes = Files.readAllBytes(delta);
        bytes[bytes.length - 1] = 0x7F;
        bytes[bytes.length - 2] = (byte) 0xC0;
        Files.write(delta, bytes);
        for (double factor : new double[] {1, 0.5, 0}) {
            assertThatThrownBy(() -> DeltaSum.of(base).plus(delta, factor).write(folder.resolve("sum")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(delta + ": tensor 'w' has NaN at [1]");
        }
        assertNothingLeft("base", "broken", "tuned", "tuned.safetensors");
    }
}
