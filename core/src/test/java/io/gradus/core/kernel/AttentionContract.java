package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.AttentionOptions;
import io.gradus.core.GradientBuffer;
import io.gradus.core.HostCast;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link AttentionKernels} on any device. */
public abstract class AttentionContract extends KernelContract {

    /**
     * The relative error of rounding the weights of values and the gradients of scores, and results, if they are not F32. With it, inputs
     * are BF16 numbers.
     */
    protected double rounding() {
        return 0;
    }

    @Override
    float exact(float number) {
        return rounding() == 0 ? number : HostCast.fromBFloat16(HostCast.toBFloat16(number));
    }

    /** Batch B, queries T, keys S, heads H, key heads G, head size D. */
    record Size(int b, int t, int s, int h, int g, int d) {
        long[] q() {
            return new long[] {b, t, h, d};
        }

        long[] k() {
            return new long[] {b, s, g, d};
        }
    }

    static Stream<Size> sizes() {
        return Stream.of(
                new Size(1, 1, 1, 1, 1, 1),
                new Size(1, 1, 37, 2, 1, 8), // one query against a cache
                new Size(2, 7, 7, 3, 3, 5),
                new Size(2, 5, 11, 4, 2, 16),
                new Size(1, 37, 37, 6, 2, 20),
                new Size(2, 33, 65, 2, 1, 64),
                new Size(1, 101, 101, 2, 2, 17),
                new Size(1, 259, 259, 2, 1, 8),
                new Size(0, 3, 3, 2, 1, 4),
                new Size(2, 0, 3, 2, 1, 4));
    }

    @Test
    void attentionOfOneQueryAndTwoKeys() {
        Operand q = of(new float[] {1}, 1, 1, 1, 1);
        Operand k = of(new float[] {0, (float) Math.log(3)}, 1, 2, 1, 1);
        Operand v = of(new float[] {1, 5}, 1, 2, 1, 1);
        Operand out = output(false, 1, 1, 1, 1);
        Operand logSumExp = output(false, 1, 1, 1);
        AttentionOptions options = new AttentionOptions(false, null, 1);
        run(side -> side.kernels()
                .attention()
                .forward(side.of(q), side.of(k), side.of(v), options, side.of(out), side.of(logSumExp)));
        assertThat(out.actual()).containsExactly(new float[] {4}, offset(1e-5)); // ¼·1 + ¾·5
        assertThat(logSumExp.actual()).containsExactly(new float[] {(float) Math.log(4)}, offset(1e-6));
    }

    /** For results up to 4 of operands of which none has 16 bits. */
    private Offset<Float> offset(double exact) {
        return Offset.offset((float) (exact + 4 * rounding()));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void attentionWithoutMaskMatchesReference(Size size) {
        check(size, false, null);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void causalAttentionIgnoresFutureKeys(Size size) {
        check(size, true, null);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void attentionMaskHidesPadding(Size size) {
        int[] mask = new int[size.b * size.s];
        // a different length for each row of the batch, and a gap
        Arrays.setAll(mask, i -> i % size.s < size.s - i / size.s * 3 && i % size.s != 2 ? 1 : 0);
        check(size, false, mask);
        check(size, true, mask);
    }

    /** With left padding the first causal queries have no keys; a fully masked row has none at all. */
    @Test
    void queryWithoutKeysGivesZeros() {
        Size size = new Size(3, 9, 9, 4, 2, 6);
        int[] mask = new int[3 * 9];
        Arrays.setAll(mask, i -> i < 9 ? 1 : i < 18 ? i % 9 / 4 : 0);
        check(size, true, mask);
        Operand out = check(size, false, mask);
        float[] actual = out.actual();
        assertThat(Arrays.copyOfRange(actual, 2 * 9 * 4 * 6, actual.length)).containsOnly(0f);
    }

    /** Packed documents with different lengths in each row, with and without a padding mask. */
    @ParameterizedTest
    @MethodSource("sizes")
    void documentStartsLimitAttentionToOneDocument(Size size) {
        int[] first = new int[size.b * size.t];
        Arrays.setAll(first, i -> documentStart(size, i / size.t, i % size.t));
        int[] mask = new int[size.b * size.s];
        Arrays.setAll(mask, i -> i % size.s % 5 == 3 ? 0 : 1);
        check(size, true, null, first);
        check(size, false, null, first);
        check(size, true, mask, first);
    }

    /** The documents of row b have b·7 + 3 keys, then twice as many each, up to 200. */
    private static int documentStart(Size size, int b, int t) {
        int place = t + size.s - size.t;
        int start = 0;
        for (int length = b * 7 + 3; start + length <= place; length = Math.min(200, 2 * length)) {
            start += length;
        }
        return start;
    }

    /** Texts of no token, of one, of a few, and of more than a block, in one row. */
    @Test
    void textsThatShareARowAttendToThemselvesOnly() {
        List<Integer> lengths = List.of(7, 1, 0, 300, 2, 33, 3, 16, 129);
        int tokens = lengths.stream().mapToInt(Integer::intValue).sum();
        for (Size size : List.of(new Size(1, tokens, tokens, 2, 1, 8), new Size(1, tokens, tokens, 3, 3, 5))) {
            AttentionOptions plain = new AttentionOptions(false, null, 1 / Math.sqrt(size.d)).withTextLengths(lengths);
            check(size, plain, null, null);
            check(size, plain.withWindow(5), null, null);
            check(size, plain.withWindow(150), null, null);
            check(size, plain.withSoftcap(0.5), null, null);
            check(size, new AttentionOptions(true, null, 0.3).withTextLengths(lengths), null, null);
        }
    }

    @Test
    void textThatSharesARowIsNotAffectedByTheOthers() {
        float[] keys = new float[40 * 4];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = i < 13 * 4 || i >= 24 * 4 ? Float.NaN : i % 13 / 13f;
        }
        AttentionOptions options = AttentionOptions.bidirectional(4).withTextLengths(List.of(13, 11, 16));
        assertThat(Arrays.copyOfRange(firstGradient(keys, options), 13 * 4, 24 * 4))
                .doesNotContain(Float.NaN);
        assertThat(Arrays.copyOfRange(lastGradients(keys, options), 13 * 4, 24 * 4))
                .doesNotContain(Float.NaN);
    }

    @Test
    void textsThatDoNotFillTheirRowAreRefused() {
        AttentionOptions texts = AttentionOptions.bidirectional(4).withTextLengths(List.of(2, 3));
        refuses(
                ShapeException.class,
                () -> forward(zeros(1, 6, 1, 4), zeros(1, 6, 1, 4), texts),
                "attention",
                "[2, 3]",
                "one row of 5",
                "[1, 6, 1, 4]");
        refuses(ShapeException.class, () -> forward(zeros(2, 5, 1, 4), zeros(2, 5, 1, 4), texts), "one row of 5");
        refuses(
                IllegalArgumentException.class,
                () -> forward(zeros(1, 5, 1, 4), zeros(1, 5, 1, 4), texts.withAttentionMask(zeroIds(1, 5))),
                "attention mask");
        refuses(
                IllegalArgumentException.class,
                () -> forward(zeros(1, 5, 1, 4), zeros(1, 5, 1, 4), texts.withDocumentStarts(zeroIds(1, 5))),
                "document starts");
    }

    /** Document starts need not increase from query to query, and may lie outside the keys. */
    @ParameterizedTest
    @MethodSource("sizes")
    void documentStartsInAnyOrderAreApplied(Size size) {
        int[] first = new int[size.b * size.t];
        Arrays.setAll(first, i -> i % 4 == 0 ? -3 : i % 4 == 1 ? size.s + 2 : i * 29 % (size.s + 1));
        check(size, true, null, first);
        check(size, false, null, first);
        Arrays.fill(first, size.s);
        assertThat(check(size, false, null, first).actual())
                .as("queries without keys")
                .containsOnly(zeros(first));
    }

    private static Float[] zeros(int[] any) {
        return any.length == 0 ? new Float[0] : new Float[] {0f};
    }

    /** Windows of one key, of a few, and of about all, with and without documents and padding. */
    @ParameterizedTest
    @MethodSource("sizes")
    void windowLimitsAttentionToNearKeys(Size size) {
        int[] first = new int[size.b * size.t];
        Arrays.setAll(first, i -> documentStart(size, i / size.t, i % size.t));
        int[] mask = new int[size.b * size.s];
        Arrays.setAll(mask, i -> i % size.s % 5 == 3 ? 0 : 1);
        for (int window : new int[] {1, 2, 7, 36, 130, 1000}) {
            for (boolean causal : new boolean[] {true, false}) {
                AttentionOptions options = new AttentionOptions(causal, null, 1 / Math.sqrt(size.d)).withWindow(window);
                check(size, options, null, null);
                check(size, options, mask, first);
            }
        }
    }

    /** Scores of up to 4√d, with a bound that most are near to, and one that few are. */
    @ParameterizedTest
    @MethodSource("sizes")
    void softcapBoundsScores(Size size) {
        int[] mask = new int[size.b * size.s];
        Arrays.setAll(mask, i -> i % size.s % 5 == 3 ? 0 : 1);
        for (double softcap : new double[] {0.5, 3}) {
            AttentionOptions options = new AttentionOptions(true, null, 1 / Math.sqrt(size.d)).withSoftcap(softcap);
            check(size, options, null, null);
            check(size, options.withWindow(5), mask, null);
        }
    }

    /** {@code 2·tanh(ln 3 / 2)} is 1, since the hyperbolic tangent of half of ln 3 is 1/2. */
    @Test
    void softcapOfOneQueryAndTwoKeys() {
        Operand q = of(new float[] {1}, 1, 1, 1, 1);
        Operand k = of(new float[] {0, (float) Math.log(3)}, 1, 2, 1, 1);
        Operand v = of(new float[] {0, 1}, 1, 2, 1, 1);
        Operand out = output(false, 1, 1, 1, 1);
        Operand logSumExp = output(false, 1, 1, 1);
        AttentionOptions options = new AttentionOptions(false, null, 1).withSoftcap(2);
        run(side -> side.kernels()
                .attention()
                .forward(side.of(q), side.of(k), side.of(v), options, side.of(out), side.of(logSumExp)));
        assertThat(out.actual()).containsExactly(new float[] {(float) (Math.E / (1 + Math.E))}, offset(1e-6));
    }

    /**
     * Work is proportional to the window: a query is not combined with keys far outside of it, whose NaN would show, and neither
     * is a key with queries.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void keysFarOutsideOfTheWindowAreNotRead(boolean causal) {
        int length = 1200;
        int far = 300;
        float[] early = new float[length * 4];
        float[] late = new float[length * 4];
        for (int i = 0; i < early.length; i++) {
            early[i] = i < far * 4 ? Float.NaN : i % 13 / 13f;
            late[i] = i >= (length - far) * 4 ? Float.NaN : i % 11 / 11f;
        }
        AttentionOptions options = new AttentionOptions(causal, null, 0.5).withWindow(17);
        assertThat(Arrays.copyOfRange(firstGradient(early, options), 800 * 4, length * 4))
                .as("gradients of queries that attend to sound keys")
                .doesNotContain(Float.NaN);
        assertThat(Arrays.copyOfRange(lastGradients(late, options), 0, 400 * 4))
                .as("gradients of keys that sound queries attend to")
                .doesNotContain(Float.NaN);
    }

    /** The gradient of the queries; keys and values have the given elements. */
    private float[] firstGradient(float[] keys, AttentionOptions options) {
        long length = keys.length / 4;
        Operand q = random(1, length, 1, 4);
        Operand k = of(keys, 1, length, 1, 4);
        Operand dq = output(false, 1, length, 1, 4);
        gradients(q, k, options, dq, output(false, 1, length, 1, 4));
        return dq.actual();
    }

    /** The gradient of the keys; queries have the given elements. */
    private float[] lastGradients(float[] queries, AttentionOptions options) {
        long length = queries.length / 4;
        Operand q = of(queries, 1, length, 1, 4);
        Operand k = random(1, length, 1, 4);
        Operand dk = output(false, 1, length, 1, 4);
        gradients(q, k, options, output(false, 1, length, 1, 4), dk);
        return dk.actual();
    }

    private void gradients(Operand q, Operand k, AttentionOptions options, Operand dq, Operand dk) {
        long length = q.actual().length / 4;
        Operand out = output(false, 1, length, 1, 4);
        Operand sums = output(false, 1, 1, length);
        Operand dv = output(false, 1, length, 1, 4);
        run(side -> {
            side.kernels()
                    .attention()
                    .forward(side.of(q), side.of(k), side.of(k), options, side.of(out), side.of(sums));
            side.kernels()
                    .attention()
                    .backward(
                            side.of(q),
                            side.of(k),
                            side.of(k),
                            options,
                            side.of(out),
                            side.of(sums),
                            side.of(q),
                            side.buffer(dq, false),
                            side.buffer(dk, false),
                            side.buffer(dv, false));
        });
    }

    @Test
    void windowAndSoftcapMustNotBeNegative() {
        AttentionOptions plain = AttentionOptions.causal(4);
        assertThatThrownBy(() -> plain.withWindow(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("attention: a window of -1 tokens; use at least 1, or 0 for none");
        assertThatThrownBy(() -> plain.withSoftcap(-0.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("attention: a softcap of -0.5; use a positive number, or 0 for none");
        assertThatThrownBy(() -> plain.withSoftcap(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
    }

    private Operand check(Size size, boolean causal, int @Nullable [] mask) {
        return check(size, causal, mask, null);
    }

    private Operand check(Size size, boolean causal, int @Nullable [] mask, int @Nullable [] first) {
        return check(size, new AttentionOptions(causal, null, 1 / Math.sqrt(size.d)), mask, first);
    }

    /** Runs both passes with all combinations of accumulate; returns the result of the forward pass. */
    private Operand check(Size size, AttentionOptions options, int @Nullable [] mask, int @Nullable [] first) {
        Operand q = random(size.q());
        Operand k = random(size.k());
        Operand v = random(size.k());
        Operand attentionMask = mask == null ? null : ints(mask, size.b, size.s);
        Operand documentStarts = first == null ? null : ints(first, size.b, size.t);
        Operand out = output(false, size.q());
        Operand sums = output(false, size.b, size.h, size.t);
        run(side -> side.kernels()
                .attention()
                .forward(
                        side.of(q),
                        side.of(k),
                        side.of(v),
                        settings(side, options, attentionMask, documentStarts),
                        side.of(out),
                        side.of(sums)));
        // a score of up to 4√d·scale·√d terms is off by some ULP, and so is its exponential; the values are below 2
        out.assertClose(32 * ULP + rounding(), 2);
        sums.assertClose(32 * ULP, 4);

        Operand savedOut = asInput(out);
        Operand savedSums = asInput(sums);
        Operand dout = random(size.q());
        for (boolean accumulate : new boolean[] {false, true}) {
            Operand dq = output(accumulate, size.q());
            Operand dk = output(!accumulate, size.k());
            Operand dv = output(accumulate, size.k());
            run(side -> side.kernels()
                    .attention()
                    .backward(
                            side.of(q),
                            side.of(k),
                            side.of(v),
                            settings(side, options, attentionMask, documentStarts),
                            side.of(savedOut),
                            side.of(savedSums),
                            side.of(dout),
                            side.buffer(dq, accumulate),
                            side.buffer(dk, !accumulate),
                            side.buffer(dv, accumulate)));
            double terms = 8 + Math.sqrt(size.t * (double) size.h / size.g);
            dq.assertClose(32 * ULP + rounding(), 8);
            dk.assertClose(terms * (4 * ULP + rounding() / 8), 8);
            dv.assertClose(terms * (4 * ULP + rounding() / 8), 8);
        }
        return out;
    }

    private static AttentionOptions settings(
            Side side, AttentionOptions options, @Nullable Operand mask, @Nullable Operand documentStarts) {
        return options.withAttentionMask(mask == null ? null : side.of(mask))
                .withDocumentStarts(documentStarts == null ? null : side.of(documentStarts));
    }

    /** Documents of one row must not affect each other. */
    @Test
    void packedDocumentEqualsSeparateDocument() {
        int length = 31;
        Operand q = random(1, 3 * length, 2, 8);
        Operand k = random(1, 3 * length, 1, 8);
        Operand v = random(1, 3 * length, 1, 8);
        int[] first = new int[3 * length];
        Arrays.setAll(first, i -> i / length * length);
        Operand documentStarts = ints(first, 1, 3 * length);
        Operand out = output(false, 1, 3 * length, 2, 8);
        Operand sums = output(false, 1, 2, 3 * length);
        run(side -> side.kernels()
                .attention()
                .forward(
                        side.of(q),
                        side.of(k),
                        side.of(v),
                        settings(side, new AttentionOptions(true, null, 0.3), null, documentStarts),
                        side.of(out),
                        side.of(sums)));
        for (int document = 0; document < 3; document++) {
            Operand alone = output(false, 1, length, 2, 8);
            Operand aloneSums = output(false, 1, 2, length);
            Operand[] part = {part(q, document), part(k, document), part(v, document)};
            run(side -> side.kernels()
                    .attention()
                    .forward(
                            side.of(part[0]),
                            side.of(part[1]),
                            side.of(part[2]),
                            new AttentionOptions(true, null, 0.3),
                            side.of(alone),
                            side.of(aloneSums)));
            float[] inRow = Arrays.copyOfRange(out.actual(), document * length * 16, (document + 1) * length * 16);
            float[] byItself = alone.actual();
            for (int i = 0; i < inRow.length; i++) {
                assertThat(inRow[i]).isCloseTo(byItself[i], within((float) (16 * ULP + 2 * rounding())));
            }
        }
    }

    /** A third of a row. */
    private Operand part(Operand row, int index) {
        long[] shape = row.shape().toArray();
        shape[1] /= 3;
        float[] all = row.actual();
        int size = all.length / 3;
        return of(Arrays.copyOfRange(all, index * size, (index + 1) * size), shape);
    }

    @Test
    void largeScoresDoNotOverflow() {
        Operand q = range(30, 40, 1, 5, 2, 16);
        Operand k = range(30, 40, 1, 5, 2, 16);
        Operand v = random(1, 5, 2, 16);
        Operand out = output(false, 1, 5, 2, 16);
        Operand sums = output(false, 1, 2, 5);
        run(side -> side.kernels()
                .attention()
                .forward(
                        side.of(q),
                        side.of(k),
                        side.of(v),
                        new AttentionOptions(true, null, 1),
                        side.of(out),
                        side.of(sums)));
        // scores near 20,000 have an error of 20,000·ULP, and so has the logarithm of a ratio of probabilities
        out.assertClose(4 * 20_000 * ULP + rounding(), 2);
        sums.assertClose(8 * ULP, 0);
    }

    /** A mask that only subtracts a large number would not hide these keys. */
    @Test
    void largeMaskedKeysHaveNoEffect() {
        float[] keys = new float[4 * 3];
        float[] values = new float[4 * 3];
        Arrays.fill(keys, 0.5f);
        Arrays.fill(values, 2);
        for (int i = 0; i < 3; i++) {
            keys[i] = 1e30f; // key 0 is padding
            values[i] = 1e30f;
            keys[9 + i] = 1e15f; // only query 3 attends to key 3
            values[9 + i] = -1e30f;
        }
        Operand q = range(0.5, 1, 1, 4, 1, 3);
        Operand k = of(keys, 1, 4, 1, 3);
        Operand v = of(values, 1, 4, 1, 3);
        Operand mask = ints(new int[] {0, 1, 1, 1}, 1, 4);
        Operand out = output(false, 1, 4, 1, 3);
        Operand sums = output(false, 1, 1, 4);
        run(side -> side.kernels()
                .attention()
                .forward(
                        side.of(q),
                        side.of(k),
                        side.of(v),
                        new AttentionOptions(true, side.of(mask), 1),
                        side.of(out),
                        side.of(sums)));
        out.assertClose(8 * ULP + rounding(), 2);
        sums.assertClose(8 * ULP + rounding(), 1); // the large key is rounded
    }

    @Test
    void nanInKeyOrValueStaysInItsBatch() {
        float[] numbers = new float[2 * 4 * 3];
        Arrays.fill(numbers, 0.5f);
        numbers[4] = Float.NaN;
        Operand q = random(2, 4, 1, 3);
        Operand sound = random(2, 4, 1, 3);
        Operand broken = of(numbers, 2, 4, 1, 3);
        for (boolean key : new boolean[] {true, false}) {
            Operand out = output(false, 2, 4, 1, 3);
            Operand sums = output(false, 2, 1, 4);
            run(side -> side.kernels()
                    .attention()
                    .forward(
                            side.of(q),
                            side.of(key ? broken : sound),
                            side.of(key ? sound : broken),
                            new AttentionOptions(false, null, 1),
                            side.of(out),
                            side.of(sums)));
            out.assertClose(32 * ULP + rounding(), 2);
        }
    }

    @Test
    void attentionRejectsWrongShapesDtypesAndDevices() {
        AttentionOptions plain = new AttentionOptions(false, null, 1);
        refuses(
                ShapeException.class,
                () -> forward(zeros(1, 5, 4, 8), zeros(1, 5, 3, 8), plain),
                "attention",
                "[1, 5, 4, 8]",
                "[1, 5, 3, 8]",
                "num_key_value_heads");
        refuses(ShapeException.class, () -> forward(zeros(1, 5, 4, 8), zeros(1, 5, 4, 9), plain), "attention");
        refuses(ShapeException.class, () -> forward(zeros(5, 4, 8), zeros(5, 4, 8), plain), "attention", "[5, 4, 8]");
        refuses(
                ShapeException.class,
                () -> forward(zeros(1, 5, 4, 8), zeros(1, 3, 4, 8), new AttentionOptions(true, null, 1)),
                "attention",
                "more queries than keys");
        refuses(
                ShapeException.class,
                () -> forward(zeros(1, 5, 4, 8), zeros(1, 5, 4, 8), new AttentionOptions(false, zeroIds(1, 4), 1)),
                "attention",
                "[1, 4]");
        refuses(
                IllegalArgumentException.class,
                () -> forward(zeros(1, 5, 4, 8), zeros(1, 5, 4, 8), new AttentionOptions(false, zeros(1, 5), 1)),
                "attention",
                "I32");
        refuses(
                ShapeException.class,
                () -> forward(zeros(1, 3, 4, 8), zeros(1, 5, 4, 8), new AttentionOptions(true, null, 1, zeroIds(1, 5))),
                "attention",
                "[1, 5]",
                "[1, 3]");
        refuses(
                IllegalArgumentException.class,
                () -> forward(zeros(1, 5, 4, 8), zeros(1, 5, 4, 8), new AttentionOptions(true, null, 1, zeros(1, 5))),
                "attention",
                "I32");
        refuses(
                IllegalArgumentException.class,
                () -> forward(zeros(1, 5, 4, 8), elsewhere(1, 5, 4, 8), plain),
                "attention",
                "reference");
        refuses(
                ShapeException.class,
                () -> backward(zeros(1, 5, 4, 8), zeros(1, 5, 2, 8), zeros(1, 5, 4, 8)),
                "attention",
                "[1, 5, 4, 8]",
                "[1, 5, 2, 8]");
    }

    private void forward(Tensor q, Tensor k, AttentionOptions settings) {
        Tensor sums = zeros(q.shape().get(0), q.shape().get(-2), q.shape().get(1));
        device().kernels()
                .attention()
                .forward(q, k, k, settings, zeros(q.shape().toArray()), sums);
    }

    private void backward(Tensor q, Tensor k, Tensor dk) {
        Tensor sums = zeros(q.shape().get(0), q.shape().get(2), q.shape().get(1));
        device().kernels()
                .attention()
                .backward(
                        q,
                        k,
                        k,
                        new AttentionOptions(false, null, 1),
                        q,
                        sums,
                        q,
                        new GradientBuffer(zeros(q.shape().toArray()), false),
                        new GradientBuffer(dk, false),
                        new GradientBuffer(zeros(k.shape().toArray()), false));
    }
}
