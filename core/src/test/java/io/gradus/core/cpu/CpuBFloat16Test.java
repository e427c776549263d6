package io.gradus.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.AttentionOptions;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.GradientBuffer;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Philox;
import io.gradus.core.RopeLayout;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import io.gradus.core.kernel.ElementwiseKernels.Comparison;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import io.gradus.core.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Kernels of tensors of BF16 give the results of the kernels of F32 on the same numbers, rounded once. The contracts of each family
 * test the kernels of F32.
 */
final class CpuBFloat16Test {
    private static final List<Device> DEVICES = List.of(Device.cpu(1), Device.cpu(3));
    private static final List<Shape> SHAPES =
            List.of(Shape.of(7), Shape.of(0, 5), Shape.of(2, 3, 17), Shape.of(331, 37), Shape.of(3, 20_003));

    // ---- the two runs ----

    /** The operands of one run of a kernel: of F32, or of BF16. The same numbers in each. */
    private static final class Run {
        private final Device device;
        private final DType dtype;
        private final SplittableRandom random = new SplittableRandom(20_261_201);
        private final List<Tensor> results = new ArrayList<>();

        Run(Device device, DType dtype) {
            this.device = device;
            this.dtype = dtype;
        }

        Kernels kernels() {
            return device.kernels();
        }

        /** An input from −2 to 2. */
        Tensor in(long... shape) {
            return numbers(dtype, -2, 2, Shape.of(shape));
        }

        Tensor in(Shape shape) {
            return numbers(dtype, -2, 2, shape);
        }

        Tensor positive(Shape shape) {
            return numbers(dtype, 0.25, 2, shape);
        }

        /** An input of F32 in both runs. */
        Tensor exact(long... shape) {
            return numbers(DType.F32, 0.25, 2, Shape.of(shape));
        }

        /** A result, of numbers, which the kernel adds to or overwrites. */
        Tensor out(Shape shape) {
            return result(in(shape));
        }

        Tensor out(long... shape) {
            return out(Shape.of(shape));
        }

        /** A result of F32 in both runs. */
        Tensor exactOut(long... shape) {
            return result(exact(shape));
        }

        Tensor result(Tensor tensor) {
            results.add(tensor);
            return tensor;
        }

        Tensor ids(int bound, long... shape) {
            int[] ids = new int[Math.toIntExact(Shape.of(shape).size())];
            Arrays.setAll(ids, i -> random.nextInt(bound));
            return Tensor.of(device, ids, shape);
        }

        /** Numbers that BF16 represents, of which every second tensor begins at an odd offset. */
        private Tensor numbers(DType type, double low, double high, Shape shape) {
            long before = random.nextInt(2) * 3L;
            float[] elements = new float[Math.toIntExact(before + shape.size())];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = (float) random.nextDouble(low, high);
            }
            Tensor whole =
                    Tensor.of(device, elements, elements.length).to(DType.BF16).to(type);
            return whole.slice(before, elements.length).reshape(shape);
        }
    }

    /** Each result of BF16 is that of F32 rounded; results of F32 differ by {@code tolerance} at most. */
    private static void sameAsF32(Consumer<Run> kernel, double tolerance) {
        Run expected = new Run(DEVICES.getFirst(), DType.F32);
        kernel.accept(expected);
        for (Device device : DEVICES) {
            Run actual = new Run(device, DType.BF16);
            kernel.accept(actual);
            for (int i = 0; i < expected.results.size(); i++) {
                Tensor result = actual.results.get(i);
                float[] wanted = expected.results.get(i).to(result.dtype()).toFloats();
                float[] given = result.toFloats();
                for (int j = 0; j < wanted.length; j++) {
                    assertThat(Math.abs(given[j] - wanted[j]) <= tolerance || Float.compare(given[j], wanted[j]) == 0)
                            .as("result %d: element %d of %s is %s, not %s", i, j, result, given[j], wanted[j])
                            .isTrue();
                }
            }
        }
    }

    private static void sameAsF32(Consumer<Run> kernel) {
        sameAsF32(kernel, 0);
    }

    private static GradientBuffer buffer(Tensor gradient, boolean accumulate) {
        return new GradientBuffer(gradient, accumulate);
    }

    // ---- elementwise ----

    @ParameterizedTest
    @EnumSource(Unary.class)
    void functionsOfOneNumberAreRoundedOnce(Unary op) {
        for (Shape shape : SHAPES) {
            sameAsF32(run -> run.kernels().elementwise().unary(op, run.positive(shape), run.out(shape)));
            for (boolean accumulate : List.of(false, true)) {
                sameAsF32(run -> {
                    Tensor x = run.positive(shape);
                    Tensor y = x.emptyLike(shape);
                    run.kernels().elementwise().unary(op, x, y);
                    run.kernels().elementwise().unaryBackward(op, x, y, run.in(shape), run.out(shape), accumulate);
                    if (y.dtype() == DType.F32) {
                        // y is an operand of BF16 in the other run; here it must have the same numbers
                        run.results.clear();
                        Run again = new Run(run.device, run.dtype);
                        x = again.positive(shape);
                        y = y.to(DType.BF16).to(DType.F32);
                        run.kernels()
                                .elementwise()
                                .unaryBackward(op, x, y, again.in(shape), run.result(again.in(shape)), accumulate);
                    }
                });
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Binary.class)
    void functionsOfTwoNumbersAreRoundedOnce(Binary op) {
        List<List<Shape>> operands = List.of(
                List.of(Shape.of(7), Shape.of(7), Shape.of(7)),
                List.of(Shape.of(0, 5), Shape.of(5), Shape.of(0, 5)),
                List.of(Shape.of(400, 64), Shape.of(64), Shape.of(400, 64)),
                List.of(Shape.of(400, 64), Shape.of(400, 1), Shape.of(400, 64)),
                List.of(Shape.of(1, 30, 17), Shape.of(17), Shape.of(1, 30, 17)),
                List.of(Shape.scalar(), Shape.of(3, 9000), Shape.of(3, 9000)),
                List.of(Shape.of(4, 1, 33), Shape.of(1, 5, 1), Shape.of(4, 5, 33)));
        for (List<Shape> shapes : operands) {
            for (boolean accumulate : List.of(false, true)) {
                sameAsF32(run -> run.kernels()
                        .elementwise()
                        .binary(
                                op,
                                run.positive(shapes.get(0)),
                                run.positive(shapes.get(1)),
                                run.out(shapes.get(2)),
                                accumulate));
                // an operand of BF16, one of F32, and a result of F32
                sameAsF32(run -> run.kernels()
                        .elementwise()
                        .binary(
                                op,
                                run.positive(shapes.get(0)),
                                run.exact(shapes.get(1).toArray()),
                                run.exactOut(shapes.get(2).toArray()),
                                accumulate));
            }
        }
    }

    @Test
    void otherElementwiseKernelsAreRoundedOnce() {
        for (Shape shape : SHAPES) {
            for (boolean accumulate : List.of(false, true)) {
                sameAsF32(run ->
                        run.kernels().elementwise().affine(run.in(shape), 1.7, -0.3, run.out(shape), accumulate));
                sameAsF32(run -> run.kernels()
                        .elementwise()
                        .affine(run.exact(shape.toArray()), 1.7, -0.3, run.out(shape), accumulate));
                sameAsF32(run -> run.kernels()
                        .elementwise()
                        .where(
                                run.ids(2, shape.toArray()),
                                run.in(shape),
                                run.in(shape.last()),
                                run.out(shape),
                                accumulate));
                sameAsF32(run -> run.kernels()
                        .elementwise()
                        .swigluBackward(
                                run.in(shape),
                                run.in(shape),
                                run.in(shape),
                                buffer(run.out(shape), accumulate),
                                buffer(run.out(shape), !accumulate)));
                sameAsF32(run -> run.kernels()
                        .random()
                        .dropout(run.in(shape), 0.25, new Philox.Key(7, 1, 2), run.out(shape), accumulate));
            }
            sameAsF32(run -> run.kernels().elementwise().swiglu(run.in(shape), run.in(shape), run.out(shape)));
            for (Comparison op : Comparison.values()) {
                sameAsF32(run -> run.kernels()
                        .elementwise()
                        .compare(op, run.in(shape), run.in(shape), run.result(run.ids(2, shape.toArray()))));
            }
        }
    }

    @Test
    void kernelMayWriteToItsOperand() {
        sameAsF32(run -> {
            Tensor x = run.out(500, 70);
            run.kernels().elementwise().unary(Unary.GELU, x, x);
            run.kernels().elementwise().binary(Binary.ADD, x, x, x, false);
            run.kernels().softmax().softmax(x, x);
            if (x.dtype() == DType.F32) { // rounds after each kernel, as the other run does
                run.results.clear();
                x = new Run(run.device, run.dtype).out(500, 70);
                run.kernels().elementwise().unary(Unary.GELU, x, x);
                x.copyFrom(x.to(DType.BF16));
                run.kernels().elementwise().binary(Binary.ADD, x, x, x, false);
                x.copyFrom(x.to(DType.BF16));
                run.kernels().softmax().softmax(x, x);
                run.result(x);
            }
        });
    }

    // ---- reductions ----

    @Test
    void sumsAndMaximaAreThoseOfF32() {
        List<List<Shape>> shapes = List.of(
                List.of(Shape.of(700, 48), Shape.of(48)),
                List.of(Shape.of(700, 48), Shape.of(700, 1)),
                List.of(Shape.of(7, 90_001), Shape.scalar()),
                List.of(Shape.of(5, 7, 11), Shape.of(5, 1, 11)),
                List.of(Shape.of(5, 7, 11), Shape.of(1, 7, 1)),
                List.of(Shape.of(0, 3), Shape.of(3)));
        for (List<Shape> pair : shapes) {
            Shape from = pair.get(0);
            Shape to = pair.get(1);
            for (boolean accumulate : List.of(false, true)) {
                sameAsF32(run -> run.kernels().reduction().sumTo(run.in(from), run.out(to), accumulate));
                sameAsF32(run -> run.kernels().reduction().sumTo(run.in(from), run.exactOut(to.toArray()), accumulate));
            }
            sameAsF32(run -> run.kernels().reduction().maxTo(run.in(from), run.out(to)));
        }
        sameAsF32(run -> {
            Tensor x = run.in(30, 11);
            Tensor y = x.emptyLike(Shape.of(30, 1));
            run.kernels().reduction().maxTo(x, y);
            run.kernels().reduction().maxBackward(x, y, run.in(30, 1), run.out(30, 11), true);
        });
    }

    // ---- rows ----

    @Test
    void softmaxOfRowsIsRoundedOnce() {
        for (Shape shape : SHAPES) {
            sameAsF32(run -> run.kernels().softmax().softmax(run.in(shape), run.out(shape)));
            sameAsF32(run -> run.kernels().softmax().logSoftmax(run.in(shape), run.out(shape)));
            for (boolean accumulate : List.of(false, true)) {
                sameAsF32(run -> run.kernels()
                        .softmax()
                        .softmaxBackward(run.in(shape), run.in(shape), run.out(shape), accumulate));
                sameAsF32(run -> run.kernels()
                        .softmax()
                        .logSoftmaxBackward(run.in(shape), run.in(shape), run.out(shape), accumulate));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 1000, 50_257})
    void lossesOfRowsAreThoseOfF32(int classes) {
        int rows = 37;
        sameAsF32(run -> run.kernels()
                .crossEntropy()
                .forward(run.in(rows, classes), run.ids(classes, rows), 1, run.exactOut(rows), run.exactOut(rows)));
        sameAsF32(run -> run.kernels()
                .crossEntropy()
                .forwardBackward(
                        run.in(rows, classes),
                        run.ids(classes, rows),
                        1,
                        run.exact(rows),
                        0.25,
                        run.exactOut(rows),
                        run.out(rows, classes)));
        for (boolean accumulate : List.of(false, true)) {
            sameAsF32(run -> run.kernels()
                    .crossEntropy()
                    .backward(
                            run.in(rows, classes),
                            run.ids(classes, rows),
                            1,
                            run.exact(rows),
                            run.exact(rows),
                            run.out(rows, classes),
                            accumulate));
        }
    }

    @Test
    void badTargetIsNamedByItsRow() {
        Run run = new Run(DEVICES.getFirst(), DType.BF16);
        int[] targets = new int[5000];
        targets[4321] = 9;
        assertThatThrownBy(() -> run.kernels()
                        .crossEntropy()
                        .forward(
                                run.in(5000, 9),
                                Tensor.of(run.device, targets, 5000),
                                -100,
                                run.exact(5000),
                                run.exact(5000)))
                .hasMessageContaining("row 4321");
    }

    @Test
    void normalizedRowsAreRoundedOnce() {
        for (Shape shape : SHAPES) {
            long rows = shape.rows();
            sameAsF32(run -> run.kernels()
                    .normalization()
                    .layerNorm(
                            run.in(shape),
                            run.in(shape.last()),
                            run.in(shape.last()),
                            1e-5,
                            run.out(shape),
                            run.exactOut(rows),
                            run.exactOut(rows)));
            sameAsF32(run -> run.kernels()
                    .normalization()
                    .rmsNorm(run.in(shape), run.exact(shape.last()), 1e-5, run.out(shape), run.exactOut(rows)));
        }
    }

    @Test
    void gradientsOfNormalizationAreRoundedOnce() {
        for (Shape shape : SHAPES) {
            long rows = shape.rows();
            for (boolean accumulate : List.of(false, true)) {
                sameAsF32(
                        run -> run.kernels()
                                .normalization()
                                .layerNormBackward(
                                        run.in(shape),
                                        run.in(shape),
                                        run.in(shape.last()),
                                        run.exact(rows),
                                        run.exact(rows),
                                        buffer(run.out(shape), accumulate),
                                        buffer(run.exact(shape.last()), accumulate),
                                        buffer(run.exact(shape.last()), accumulate)),
                        0);
                // sums over rows have another order than in F32
                sameAsF32(
                        run -> run.kernels()
                                .normalization()
                                .rmsNormBackward(
                                        run.in(shape),
                                        run.in(shape),
                                        run.in(shape.last()),
                                        run.exact(rows),
                                        buffer(run.in(shape), accumulate),
                                        buffer(run.exactOut(shape.last()), accumulate)),
                        1e-6 * 16 * (rows + 1));
            }
        }
    }

    @Test
    void sumsOverRowsHaveTheSameBitsForAnyNumberOfThreads() {
        List<float[]> sums = new ArrayList<>();
        for (Device device : CpuDevices.SAME_BITS) {
            Run run = new Run(device, DType.BF16);
            Tensor dweight = run.exactOut(37);
            Tensor dbias = run.exactOut(37);
            run.kernels()
                    .normalization()
                    .layerNormBackward(
                            run.in(20_011, 37),
                            run.in(20_011, 37),
                            run.in(37),
                            run.exact(20_011),
                            run.exact(20_011),
                            buffer(run.in(20_011, 37), false),
                            buffer(dweight, false),
                            buffer(dbias, false));
            sums.add(dweight.toFloats());
            sums.add(dbias.toFloats());
        }
        for (int i = 2; i < sums.size(); i++) {
            assertThat(sums.get(i)).isEqualTo(sums.get(i % 2));
        }
    }

    // ---- attention, positions, movement ----

    @ParameterizedTest
    @EnumSource(RopeLayout.class)
    void rotatedHeadsAreRoundedOnce(RopeLayout layout) {
        for (boolean accumulate : List.of(false, true)) {
            sameAsF32(run -> run.kernels()
                    .rotary()
                    .rotate(
                            run.in(3, 170, 5, 12),
                            run.exact(200, 6),
                            run.exact(200, 6),
                            run.ids(200, 3, 170),
                            layout,
                            accumulate,
                            run.out(3, 170, 5, 12),
                            accumulate));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 150})
    void attentionIsNearThatOfF32(int tokens) {
        int keys = tokens + 20;
        for (boolean accumulate : List.of(false, true)) {
            sameAsF32(
                    run -> {
                        Tensor q = run.in(2, tokens, 6, 8);
                        Tensor k = run.in(2, keys, 3, 8);
                        Tensor v = run.in(2, keys, 3, 8);
                        AttentionOptions options = AttentionOptions.causal(8)
                                .withAttentionMask(run.ids(3, 2, keys))
                                .withDocumentStarts(run.ids(20, 2, tokens));
                        Tensor out = run.out(2, tokens, 6, 8);
                        Tensor logSumExp = run.exactOut(2, 6, tokens);
                        run.kernels().attention().forward(q, k, v, options, out, logSumExp);
                        run.kernels()
                                .attention()
                                .backward(
                                        q,
                                        k,
                                        v,
                                        options,
                                        out,
                                        logSumExp,
                                        run.in(2, tokens, 6, 8),
                                        buffer(run.out(2, tokens, 6, 8), accumulate),
                                        buffer(run.out(2, keys, 3, 8), accumulate),
                                        buffer(run.out(2, keys, 3, 8), accumulate));
                    },
                    0x1p-4); // gradients up to 8, of results, weights and gradients of scores that are rounded too
        }
    }

    @Test
    void movedElementsAreThoseOfF32() {
        for (int width : List.of(8, 7)) {
            for (boolean accumulate : List.of(false, true)) {
                sameAsF32(run -> {
                    var movement = run.kernels().movement();
                    movement.permute(run.in(5, 6, width), new int[] {1, 0, 2}, run.out(6, 5, width), accumulate);
                    movement.permute(run.in(5, 6, width), new int[] {2, 0, 1}, run.out(width, 5, 6), accumulate);
                    movement.slice(run.in(5, 6, width), 1, 2, run.out(5, 3, width), accumulate);
                    movement.slice(run.in(5, 6, width), 2, 2, run.out(5, 6, 4), accumulate);
                    movement.slice(run.in(5, 6, width), 2, 3, run.out(5, 6, 4), accumulate);
                    movement.place(run.in(5, 3, width), 1, 2, run.out(5, 6, width), accumulate);
                    movement.place(run.in(5, 6, 4), 2, 2, run.out(5, 6, width), accumulate);
                    movement.place(run.in(5, 6, 4), 2, 1, run.out(5, 6, width), accumulate);
                    movement.gatherBackward(
                            run.ids(6, 5, 4, width), 1, run.in(5, 4, width), run.out(5, 6, width), accumulate);
                    run.kernels().scan().cumsum(run.in(5, 6, width), 1, accumulate, run.out(5, 6, width), accumulate);
                });
            }
            sameAsF32(run -> {
                run.kernels().movement().gather(run.in(5, 6, width), 1, run.ids(6, 5, 4, width), run.out(5, 4, width));
                run.kernels().scan().topk(run.in(5, 60), 1, run.out(5, 4), run.result(run.ids(1, 5, 4)));
                run.kernels().embedding().gather(run.in(19, width), run.ids(19, 3, 4), run.out(3, 4, width));
            });
            sameAsF32(
                    run -> {
                        var embedding = run.kernels().embedding();
                        embedding.scatterAdd(run.ids(19, 30, 4), run.in(30, 4, width), run.exactOut(19, width), true);
                        embedding.scatterAdd(run.ids(19, 30, 4), run.in(30, 4, width), run.exactOut(19, width), false);
                    },
                    1e-5); // the sum of equal ids is added to what was there, not each of them
            sameAsF32(run -> {
                int[] ids = {3, 1, 3, 0};
                run.kernels()
                        .embedding()
                        .scatterAdd(Tensor.of(run.device, ids, 4), run.in(4, width), run.out(19, width), false);
            });
        }
    }

    // ---- errors ----

    @Test
    void statisticsAndOptimizerStatesStayF32() {
        Run run = new Run(DEVICES.getFirst(), DType.BF16);
        assertThatThrownBy(() ->
                        run.kernels().crossEntropy().forward(run.in(3, 4), run.ids(4, 3), -1, run.in(3), run.exact(3)))
                .hasMessageContaining("crossEntropy: BF16 [3] on cpu is not F32; convert it with to(DType.F32)");
        assertThatThrownBy(() -> run.kernels().reduction().sumOfSquares(List.of(run.in(3))))
                .hasMessageContaining("is not F32");
    }

    @Test
    void halfPrecisionIsConvertedFirst() {
        Tensor x = Tensor.empty(DEVICES.getFirst(), DType.F16, Shape.of(3), MemoryCategory.ACTIVATIONS);
        assertThatThrownBy(() -> x.kernels().elementwise().unary(Unary.EXP, x, x))
                .hasMessageContaining("exp: F16 [3] on cpu is not F32; convert it with to(DType.F32)");
    }
}
