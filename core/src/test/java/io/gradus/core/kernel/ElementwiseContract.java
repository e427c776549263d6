package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gradus.core.DType;
import io.gradus.core.GradientBuffer;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import io.gradus.core.kernel.ElementwiseKernels.Binary;
import io.gradus.core.kernel.ElementwiseKernels.Comparison;
import io.gradus.core.kernel.ElementwiseKernels.Unary;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link ElementwiseKernels} on any device. */
public abstract class ElementwiseContract extends KernelContract {
    private static final List<Shape> SHAPES = List.of(
            Shape.scalar(),
            Shape.of(0),
            Shape.of(1),
            Shape.of(7),
            Shape.of(3, 0, 2),
            Shape.of(16, 16),
            Shape.of(5000),
            Shape.of(3, 10_007));

    /** Pairs of shapes that broadcast. */
    private static final List<List<Shape>> PAIRS = List.of(
            List.of(Shape.of(5000), Shape.of(5000)),
            List.of(Shape.of(3, 5000), Shape.of(3, 5000)),
            List.of(Shape.of(), Shape.of()),
            List.of(Shape.of(), Shape.of(7)),
            List.of(Shape.of(7, 3), Shape.of(1)),
            List.of(Shape.of(2, 3, 4), Shape.of(4)),
            List.of(Shape.of(4), Shape.of(2, 3, 4)),
            List.of(Shape.of(2, 3, 4), Shape.of(2, 3, 1)),
            List.of(Shape.of(2, 1, 4), Shape.of(2, 3, 4)),
            List.of(Shape.of(7, 1), Shape.of(1, 5)),
            List.of(Shape.of(3, 1, 5), Shape.of(4, 1)),
            List.of(Shape.of(2, 1, 3, 1, 5), Shape.of(7, 1, 2, 1)),
            List.of(Shape.of(37, 331), Shape.of(331)),
            List.of(Shape.of(37, 1), Shape.of(37, 331)),
            List.of(Shape.of(5000, 1), Shape.of(1, 3)),
            List.of(Shape.of(2, 5003), Shape.of(1, 5003)),
            List.of(Shape.of(0, 4), Shape.of(4)),
            List.of(Shape.of(3, 1), Shape.of(3, 0)));

    @Test
    void activationsOfOneAndMinusOne() {
        Operand x = of(new float[] {1, -1}, 2);
        Map<Unary, float[]> expected = Map.of(
                Unary.EXP, new float[] {2.7182818f, 0.3678794f},
                Unary.TANH, new float[] {0.7615942f, -0.7615942f},
                Unary.SIGMOID, new float[] {0.7310586f, 0.2689414f},
                Unary.RELU, new float[] {1, 0},
                Unary.GELU, new float[] {0.8413447f, -0.1586553f},
                Unary.GELU_TANH, new float[] {0.8411920f, -0.1588080f},
                Unary.SILU, new float[] {0.7310586f, -0.2689414f},
                Unary.ABS, new float[] {1, 1});
        expected.forEach((op, values) -> {
            Operand out = output(false, 2);
            run(side -> side.kernels().elementwise().unary(op, side.of(x), side.of(out)));
            assertThat(out.actual()).as(op.name()).containsExactly(values, Offset.offset(2e-6f));
        });
    }

    @Test
    void binaryFunctionsOfThreeAndTwo() {
        Operand a = of(new float[] {3}, 1);
        Operand b = of(new float[] {2}, 1);
        Map<Binary, Float> expected = Map.of(
                Binary.ADD, 5f,
                Binary.SUBTRACT, 1f,
                Binary.MULTIPLY, 6f,
                Binary.DIVIDE, 1.5f,
                Binary.POW, 9f,
                Binary.MINIMUM, 2f,
                Binary.MAXIMUM, 3f);
        expected.forEach((op, value) -> {
            Operand out = output(false, 1);
            run(side -> side.kernels().elementwise().binary(op, side.of(a), side.of(b), side.of(out), false));
            assertThat(out.actual()).as(op.name()).containsExactly(value);
        });
    }

    @ParameterizedTest
    @EnumSource
    void unaryFunctionsMatchReference(Unary op) {
        for (Shape shape : SHAPES) {
            Operand x = input(op, shape);
            Operand out = output(false, shape);
            run(side -> side.kernels().elementwise().unary(op, side.of(x), side.of(out)));
            out.assertClose(8 * ULP, 0.25);
        }
    }

    @ParameterizedTest
    @EnumSource
    void unaryFunctionsInPlace(Unary op) {
        Operand x = op == Unary.LOG || op == Unary.SQRT ? state(0.1, 6, 5000) : state(-6, 6, 5000);
        run(side -> side.kernels().elementwise().unary(op, side.of(x), side.of(x)));
        x.assertClose(8 * ULP, 0.25);
    }

    @ParameterizedTest
    @EnumSource
    void unaryGradientsMatchReference(Unary op) {
        for (Shape shape : SHAPES) {
            for (boolean accumulate : new boolean[] {false, true}) {
                Operand x = input(op, shape);
                Operand y = output(false, shape);
                run(side -> side.kernels().elementwise().unary(op, side.of(x), side.of(y)));
                Operand result = asInput(y);
                Operand dy = random(shape.toArray());
                Operand dx = output(accumulate, shape);
                run(side -> side.kernels()
                        .elementwise()
                        .unaryBackward(op, side.of(x), side.of(result), side.of(dy), side.of(dx), accumulate));
                dx.assertClose(16 * ULP, 2); // dy is up to 2, and 1 − t² cancels
            }
        }
    }

    private Operand input(Unary op, Shape shape) {
        return op == Unary.LOG || op == Unary.SQRT ? range(0.1, 6, shape.toArray()) : range(-6, 6, shape.toArray());
    }

    /** Large arguments give the limit, without intermediate overflow; activations have a small relative error. */
    @ParameterizedTest
    @EnumSource
    void unaryFunctionsOfLargeAndSmallArguments(Unary op) {
        float[] values = {0, 1e-30f, 1e-10f, 1e-3f, 10, 20, 50, 80, 100, 1e4f, 1e30f};
        float[] both = new float[2 * values.length];
        for (int i = 0; i < values.length; i++) {
            both[2 * i] = values[i];
            both[2 * i + 1] = op == Unary.LOG || op == Unary.SQRT ? values[i] * 1.5f : -values[i];
        }
        Operand x = of(both, both.length);
        Operand out = output(false, both.length);
        run(side -> side.kernels().elementwise().unary(op, side.of(x), side.of(out)));
        // the argument's own rounding is what exp multiplies: 80·2⁻²⁴ is 40 ULP in a float-only exponential
        out.assertClose(op == Unary.EXP ? 64 * ULP : 8 * ULP, 1e-6);
    }

    @ParameterizedTest
    @EnumSource
    void unaryFunctionsOfNan(Unary op) {
        float[] elements = new float[19];
        Arrays.fill(elements, 1);
        elements[3] = Float.NaN;
        elements[18] = Float.NaN;
        Operand x = of(elements, 19);
        Operand out = output(false, 19);
        run(side -> side.kernels().elementwise().unary(op, side.of(x), side.of(out)));
        out.assertClose(8 * ULP, 0.25);
    }

    /** Derivatives of large arguments are 0 or 1, without intermediate overflow; NaN does not spread. */
    @ParameterizedTest
    @EnumSource(
            value = Unary.class,
            names = {"RELU", "GELU", "GELU_TANH", "SILU"})
    void activationGradientsOfLargeArgumentsAndNan(Unary op) {
        float[] elements = {0, 1e-30f, 1e-10f, 1e-3f, 10, 20, 50, 80, 100, 1e4f, 1e30f, 3e38f};
        float[] both = new float[2 * elements.length + 1];
        for (int i = 0; i < elements.length; i++) {
            both[2 * i] = elements[i];
            both[2 * i + 1] = -elements[i];
        }
        both[both.length - 1] = Float.NaN;
        Operand x = of(both, both.length);
        Operand y = output(false, both.length);
        run(side -> side.kernels().elementwise().unary(op, side.of(x), side.of(y)));
        Operand result = asInput(y);
        float[] ones = new float[both.length];
        Arrays.fill(ones, 1);
        Operand dy = of(ones, ones.length);
        Operand dx = output(false, both.length);
        run(side -> side.kernels()
                .elementwise()
                .unaryBackward(
                        op,
                        side.of(x),
                        op == Unary.RELU ? side.of(result) : side.of(x),
                        side.of(dy),
                        side.of(dx),
                        false));
        int finite = both.length - 1;
        assertThat(Arrays.copyOf(dx.actual(), finite))
                .containsExactly(toFloats(dx.expected(), finite), Offset.offset(1e-6f));
        assertThat(Float.isNaN(dx.actual()[finite])).isEqualTo(op != Unary.RELU);
    }

    private static float[] toFloats(double[] elements, int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) elements[i];
        }
        return floats;
    }

    @ParameterizedTest
    @EnumSource(
            value = Unary.class,
            names = {"EXP", "TANH", "SIGMOID", "RELU"})
    void unaryFunctionsOfInfinity(Unary op) {
        Operand x = of(new float[] {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}, 2);
        Operand out = output(false, 2);
        run(side -> side.kernels().elementwise().unary(op, side.of(x), side.of(out)));
        out.assertExact();
    }

    @Test
    void logAndSqrtOutsideTheirDomains() {
        Operand x = of(new float[] {0, -1, Float.POSITIVE_INFINITY}, 3);
        Operand log = output(false, 3);
        Operand root = output(false, 3);
        run(side -> {
            side.kernels().elementwise().unary(Unary.LOG, side.of(x), side.of(log));
            side.kernels().elementwise().unary(Unary.SQRT, side.of(x), side.of(root));
        });
        log.assertExact();
        root.assertExact();
    }

    @ParameterizedTest
    @EnumSource
    void binaryFunctionsBroadcast(Binary op) {
        for (List<Shape> pair : PAIRS) {
            for (boolean accumulate : new boolean[] {false, true}) {
                boolean positive = op == Binary.POW;
                Operand a = range(positive ? 0.1 : -2, 2, pair.get(0).toArray());
                Operand b = range(
                        op == Binary.DIVIDE || op == Binary.XLOGY ? 0.1 : -2,
                        2,
                        pair.get(1).toArray());
                Operand out = output(accumulate, Shape.broadcast("test", pair.get(0), pair.get(1)));
                run(side -> side.kernels().elementwise().binary(op, side.of(a), side.of(b), side.of(out), accumulate));
                out.assertClose(8 * ULP, accumulate ? 2 : 0.01);
            }
        }
    }

    @Test
    void powAndXlogyOfEdgeCases() {
        Operand base = of(new float[] {0, 0, -2, -2, -8, 2, 1, Float.POSITIVE_INFINITY}, 8);
        Operand exponent = of(new float[] {0, 2, 3, 2, 1 / 3f, -1, 1e30f, 0.5f}, 8);
        Operand power = output(false, 8);
        Operand factor = of(new float[] {0, 0, 0, 1, 1, Float.NaN, 0, -1}, 8);
        Operand argument = of(new float[] {0, Float.POSITIVE_INFINITY, Float.NaN, 0, 1, 1, -1, -1}, 8);
        Operand xlogy = output(false, 8);
        run(side -> {
            side.kernels().elementwise().binary(Binary.POW, side.of(base), side.of(exponent), side.of(power), false);
            side.kernels()
                    .elementwise()
                    .binary(Binary.XLOGY, side.of(factor), side.of(argument), side.of(xlogy), false);
        });
        power.assertClose(4 * ULP, 0);
        xlogy.assertExact();
    }

    @Test
    void minimumAndMaximumOfNanAreNan() {
        Operand a = of(new float[] {1, 2, Float.NaN, 3, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 5}, 7);
        Operand b = of(new float[] {2, 1, 3, Float.NaN, 0, 0, 5}, 7);
        Operand minimum = output(false, 7);
        Operand maximum = output(false, 7);
        run(side -> {
            ElementwiseKernels kernels = side.kernels().elementwise();
            kernels.binary(Binary.MINIMUM, side.of(a), side.of(b), side.of(minimum), false);
            kernels.binary(Binary.MAXIMUM, side.of(a), side.of(b), side.of(maximum), false);
        });
        float nan = Float.NaN;
        assertThat(minimum.actual()).containsExactly(1, 1, nan, nan, Float.NEGATIVE_INFINITY, 0, 5);
        assertThat(maximum.actual()).containsExactly(2, 2, nan, nan, 0, Float.POSITIVE_INFINITY, 5);
    }

    @Test
    void absAndSignOfZeroAndNan() {
        Operand x = of(new float[] {-3, -0f, 0, 2, Float.NaN, Float.NEGATIVE_INFINITY}, 6);
        Operand dy = of(new float[] {5, 5, 5, 5, 5, 5}, 6);
        Operand abs = output(false, 6);
        Operand sign = output(false, 6);
        Operand absGradient = output(false, 6);
        Operand signGradient = output(false, 6);
        run(side -> {
            ElementwiseKernels kernels = side.kernels().elementwise();
            kernels.unary(Unary.ABS, side.of(x), side.of(abs));
            kernels.unary(Unary.SIGN, side.of(x), side.of(sign));
            kernels.unaryBackward(Unary.ABS, side.of(x), side.of(x), side.of(dy), side.of(absGradient), false);
            kernels.unaryBackward(Unary.SIGN, side.of(x), side.of(x), side.of(dy), side.of(signGradient), false);
        });
        assertThat(abs.actual()).containsExactly(3, 0, 0, 2, Float.NaN, Float.POSITIVE_INFINITY);
        assertThat(sign.actual()).containsExactly(-1, 0, 0, 1, 0, -1);
        assertThat(absGradient.actual()).containsExactly(-5, 0, 0, 5, 0, -5);
        assertThat(signGradient.actual()).containsExactly(0, 0, 0, 0, 0, 0);
    }

    @Test
    void sinAndCosOfInfinityAreNan() {
        Operand x =
                of(new float[] {0, (float) (Math.PI / 6), 1e6f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}, 5);
        Operand sine = output(false, 5);
        Operand cosine = output(false, 5);
        run(side -> {
            side.kernels().elementwise().unary(Unary.SIN, side.of(x), side.of(sine));
            side.kernels().elementwise().unary(Unary.COS, side.of(x), side.of(cosine));
        });
        assertThat(Arrays.copyOf(sine.actual(), 2)).containsExactly(new float[] {0, 0.5f}, Offset.offset(1e-6f));
        sine.assertClose(8 * ULP, 0.25);
        cosine.assertClose(8 * ULP, 0.25);
    }

    @ParameterizedTest
    @EnumSource
    void compareBroadcasts(Comparison op) {
        for (List<Shape> pair : PAIRS) {
            Operand a = add(quarters(pair.get(0)), pair.get(0));
            Operand b = add(quarters(pair.get(1)), pair.get(1));
            Operand out = intOutput(Shape.broadcast("test", pair.get(0), pair.get(1)));
            run(side -> side.kernels().elementwise().compare(op, side.of(a), side.of(b), side.of(out)));
            out.assertExact();
        }
    }

    private Operand add(float[] elements, Shape shape) {
        return of(elements, shape.toArray());
    }

    /** Numbers, many of them equal. */
    private static float[] quarters(Shape shape) {
        float[] elements = new float[Math.toIntExact(shape.size())];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (i * 7 + elements.length) % 11 / 4f - 1;
        }
        return elements;
    }

    @Test
    void compareWithNanIsFalseExceptNotEqual() {
        float nan = Float.NaN;
        Operand a = of(new float[] {1, 2, 3, nan, 1, nan, -0f}, 7);
        Operand b = of(new float[] {2, 2, 2, 1, nan, nan, 0}, 7);
        float[][] expected = {
            {0, 1, 0, 0, 0, 0, 1}, // EQ
            {1, 0, 1, 1, 1, 1, 0}, // NE
            {1, 0, 0, 0, 0, 0, 0}, // LT
            {1, 1, 0, 0, 0, 0, 1}, // LE
            {0, 0, 1, 0, 0, 0, 0}, // GT
            {0, 1, 1, 0, 0, 0, 1}, // GE
        };
        for (Comparison op : Comparison.values()) {
            Operand out = intOutput(Shape.of(7));
            run(side -> side.kernels().elementwise().compare(op, side.of(a), side.of(b), side.of(out)));
            assertThat(out.actual()).as(op.name()).containsExactly(expected[op.ordinal()]);
        }
    }

    @Test
    void divideByZeroIsInfiniteOrNan() {
        Operand a = of(new float[] {1, -1, 0, Float.NaN}, 4);
        Operand b = of(new float[] {0}, 1);
        Operand out = output(false, 4);
        run(side -> side.kernels().elementwise().binary(Binary.DIVIDE, side.of(a), side.of(b), side.of(out), false));
        out.assertExact();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void affineBroadcasts(boolean accumulate) {
        for (List<Shape> pair : List.of(
                List.of(Shape.of(5000), Shape.of(5000)),
                List.of(Shape.of(), Shape.of(7)),
                List.of(Shape.of(331), Shape.of(37, 331)),
                List.of(Shape.of(37, 1), Shape.of(37, 331)),
                List.of(Shape.of(2, 1, 3), Shape.of(2, 5, 3)),
                List.of(Shape.of(1, 4), Shape.of(0, 4)))) {
            Operand x = random(pair.get(0).toArray());
            Operand out = output(accumulate, pair.get(1));
            run(side -> side.kernels().elementwise().affine(side.of(x), -1.5, 0.25, side.of(out), accumulate));
            out.assertClose(4 * ULP, 4);
        }
    }

    @Test
    void affineInPlace() {
        Operand x = state(-2, 2, 5, 77);
        run(side -> side.kernels().elementwise().affine(side.of(x), 3, -1, side.of(x), false));
        x.assertClose(4 * ULP, 1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whereBroadcasts(boolean accumulate) {
        for (List<Shape> shapes : List.of(
                List.of(Shape.of(5000), Shape.of(5000), Shape.of(5000)),
                List.of(Shape.of(37, 1), Shape.of(331), Shape.of()),
                List.of(Shape.of(3, 1, 5), Shape.of(1), Shape.of(2, 1)),
                List.of(Shape.of(), Shape.of(5), Shape.of(2, 5)),
                List.of(Shape.of(0), Shape.of(0), Shape.of()))) {
            Operand condition = ids(3, shapes.get(0).toArray());
            Operand a = random(shapes.get(1).toArray());
            Operand b = random(shapes.get(2).toArray());
            Shape both = Shape.broadcast("test", shapes.get(1), shapes.get(2));
            Operand out = output(accumulate, Shape.broadcast("test", shapes.get(0), both));
            run(side -> side.kernels()
                    .elementwise()
                    .where(side.of(condition), side.of(a), side.of(b), side.of(out), accumulate));
            out.assertExact();
        }
    }

    /** The unselected operand must not affect the result, not even if it is NaN. */
    @Test
    void whereIgnoresNanInTheUnselectedOperand() {
        Operand condition = ints(new int[] {1, 0, -5, 0}, 4);
        Operand a = of(new float[] {1, Float.NaN, 3, Float.NaN}, 4);
        Operand b = of(new float[] {Float.NaN, 2, Float.NaN, Float.NaN}, 4);
        Operand out = output(false, 4);
        run(side ->
                side.kernels().elementwise().where(side.of(condition), side.of(a), side.of(b), side.of(out), false));
        out.assertExact();
    }

    @Test
    void swigluMatchesReference() {
        for (Shape shape : SHAPES) {
            Operand gate = range(-6, 6, shape.toArray());
            Operand up = random(shape.toArray());
            Operand out = output(false, shape);
            run(side -> side.kernels().elementwise().swiglu(side.of(gate), side.of(up), side.of(out)));
            out.assertClose(8 * ULP, 0.25);
        }
    }

    @Test
    void swigluMayOverwriteEitherOperand() {
        Operand gate = range(-6, 6, 5000);
        Operand up = state(-2, 2, 5000);
        run(side -> side.kernels().elementwise().swiglu(side.of(gate), side.of(up), side.of(up)));
        up.assertClose(8 * ULP, 0.25);
        Operand written = state(-6, 6, 5000);
        Operand factor = random(5000);
        run(side -> side.kernels().elementwise().swiglu(side.of(written), side.of(factor), side.of(written)));
        written.assertClose(8 * ULP, 0.25);
    }

    @Test
    void swigluGradientsMatchReference() {
        for (Shape shape : SHAPES) {
            for (int flags = 0; flags < 4; flags++) {
                boolean accumulateGate = (flags & 1) != 0;
                boolean accumulateUp = (flags & 2) != 0;
                Operand gate = range(-6, 6, shape.toArray());
                Operand up = random(shape.toArray());
                Operand dy = random(shape.toArray());
                Operand dgate = output(accumulateGate, shape);
                Operand dup = output(accumulateUp, shape);
                run(side -> side.kernels()
                        .elementwise()
                        .swigluBackward(
                                side.of(gate),
                                side.of(up),
                                side.of(dy),
                                side.buffer(dgate, accumulateGate),
                                side.buffer(dup, accumulateUp)));
                dgate.assertClose(16 * ULP, 2);
                dup.assertClose(16 * ULP, 2);
            }
        }
    }

    @Test
    void swigluOfLargeArgumentsAndNan() {
        Operand gate = of(new float[] {-1e30f, -200, -100, -50, 50, 100, 1e30f, Float.NaN, 1, 0}, 10);
        Operand up = of(new float[] {2, 2, 2, 2, 2, 2, 2, 2, Float.NaN, 2}, 10);
        Operand dy = of(new float[] {3, 3, 3, 3, 3, 3, 3, 3, 3, 3}, 10);
        Operand out = output(false, 10);
        Operand dgate = output(false, 10);
        Operand dup = output(false, 10);
        run(side -> {
            ElementwiseKernels kernels = side.kernels().elementwise();
            kernels.swiglu(side.of(gate), side.of(up), side.of(out));
            kernels.swigluBackward(
                    side.of(gate), side.of(up), side.of(dy), side.buffer(dgate, false), side.buffer(dup, false));
        });
        out.assertClose(8 * ULP, 1e-6);
        dgate.assertClose(8 * ULP, 1e-6);
        dup.assertClose(8 * ULP, 1e-6);
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "I32", "BF16", "F16"})
    void fillSetsOnlyTheView(DType dtype) {
        Tensor whole = Tensor.full(device(), dtype, Shape.of(5011), 3, MemoryCategory.WORKSPACE);
        device().kernels().elementwise().fill(whole.slice(5, 5006), -2);
        double[] expected = new double[5011];
        Arrays.setAll(expected, i -> i >= 5 && i < 5006 ? -2 : 3);
        assertThat(whole.toDoubles()).isEqualTo(expected);
    }

    @Test
    void fillOfU8() {
        Tensor codes = Tensor.full(device(), DType.U8, Shape.of(5011), 200, MemoryCategory.WORKSPACE);
        device().kernels().elementwise().fill(codes.slice(5, 5006), 7);
        double[] expected = new double[5011];
        Arrays.setAll(expected, i -> i >= 5 && i < 5006 ? 7 : 200);
        assertThat(codes.toDoubles()).isEqualTo(expected);
    }

    @Test
    void fillOfEmptyTensor() {
        assertThat(Tensor.zeros(device(), DType.F32, Shape.of(0, 3), MemoryCategory.WORKSPACE)
                        .toFloats())
                .isEmpty();
    }

    @Test
    void elementwiseRejectsWrongShapes() {
        ElementwiseKernels kernels = device().kernels().elementwise();
        refuses(ShapeException.class, () -> kernels.unary(Unary.EXP, zeros(2), zeros(3)), "exp", "[2]", "[3]");
        refuses(
                ShapeException.class,
                () -> kernels.unaryBackward(Unary.GELU, zeros(2), zeros(2), zeros(1), zeros(2), false),
                "gelu",
                "[1]",
                "[2]");
        refuses(
                ShapeException.class,
                () -> kernels.binary(Binary.ADD, zeros(2, 3), zeros(2), zeros(2, 3), false),
                "add",
                "[2, 3]",
                "[2]");
        refuses(
                ShapeException.class,
                () -> kernels.binary(Binary.MULTIPLY, zeros(3), zeros(1), zeros(2, 3), false),
                "multiply",
                "[2, 3]");
        refuses(ShapeException.class, () -> kernels.affine(zeros(2, 3), 1, 0, zeros(3), false), "affine", "[2, 3]");
        refuses(
                ShapeException.class,
                () -> kernels.swiglu(zeros(2, 3), zeros(3), zeros(2, 3)),
                "swiglu",
                "[2, 3]",
                "[3]");
        refuses(
                ShapeException.class,
                () -> kernels.swigluBackward(
                        zeros(2),
                        zeros(2),
                        zeros(2),
                        new GradientBuffer(zeros(2), false),
                        new GradientBuffer(zeros(4), false)),
                "swiglu",
                "[2]",
                "[4]");
        refuses(
                ShapeException.class,
                () -> kernels.where(zeroIds(2), zeros(3), zeros(3), zeros(3), false),
                "where",
                "[2]",
                "[3]");
        refuses(
                ShapeException.class,
                () -> kernels.compare(Comparison.LT, zeros(2), zeros(3), zeroIds(3)),
                "lt",
                "[2]");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.compare(Comparison.EQ, zeros(2), zeros(2), zeros(2)),
                "eq",
                "I32");
    }

    @Test
    void elementwiseRejectsWrongDtypesAndDevices() {
        ElementwiseKernels kernels = device().kernels().elementwise();
        refuses(IllegalArgumentException.class, () -> kernels.unary(Unary.TANH, doubles(2), zeros(2)), "tanh", "F64");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.binary(Binary.ADD, zeros(2), zeroIds(2), zeros(2), false),
                "add",
                "I32");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.where(zeros(2), zeros(2), zeros(2), zeros(2), false),
                "where",
                "I32");
        refuses(
                IllegalArgumentException.class,
                () -> kernels.affine(zeros(2), 1, 0, elsewhere(2), false),
                "affine",
                "reference");
    }
}
