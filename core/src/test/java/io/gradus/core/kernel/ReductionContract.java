package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link ReductionKernels} on any device. */
public abstract class ReductionContract extends KernelContract {
    /** Shapes of inputs and results. */
    private static final List<List<Shape>> SHAPES = List.of(
            List.of(Shape.of(), Shape.of()),
            List.of(Shape.of(1), Shape.of()),
            List.of(Shape.of(7), Shape.of()),
            List.of(Shape.of(5000), Shape.of(1)),
            List.of(Shape.of(100_003), Shape.of()),
            List.of(Shape.of(5000), Shape.of(5000)),
            List.of(Shape.of(37, 331), Shape.of(331)),
            List.of(Shape.of(37, 331), Shape.of(1, 331)),
            List.of(Shape.of(37, 331), Shape.of(37, 1)),
            List.of(Shape.of(5003, 3), Shape.of(3)),
            List.of(Shape.of(5003, 3), Shape.of(5003, 1)),
            List.of(Shape.of(3, 5003), Shape.of(5003)),
            List.of(Shape.of(2, 3, 5, 7), Shape.of(3, 1, 7)),
            List.of(Shape.of(2, 3, 5, 7), Shape.of(2, 1, 5, 1)),
            List.of(Shape.of(2, 3, 5, 7), Shape.of(1, 3, 1, 1)),
            List.of(Shape.of(2, 3, 5, 7), Shape.of(5, 1)),
            List.of(Shape.of(13, 64, 17), Shape.of(64, 1)));

    @Test
    void sumAndMaxOfFourNumbers() {
        Operand x = of(new float[] {1, 2, 3, 4}, 2, 2);
        Operand rows = output(false, 2, 1);
        Operand columns = output(false, 1, 2);
        Operand largest = output(false, 2, 1);
        run(side -> {
            side.kernels().reduction().sumTo(side.of(x), side.of(rows), false);
            side.kernels().reduction().sumTo(side.of(x), side.of(columns), false);
            side.kernels().reduction().maxTo(side.of(x), side.of(largest));
        });
        assertThat(rows.actual()).containsExactly(3, 7);
        assertThat(columns.actual()).containsExactly(4, 6);
        assertThat(largest.actual()).containsExactly(2, 4);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sumOverReducedAxes(boolean accumulate) {
        for (List<Shape> shapes : SHAPES) {
            Operand x = random(shapes.get(0).toArray());
            Operand out = output(accumulate, shapes.get(1));
            Tensor magnitude = accumulate ? out.magnitudes() : out.magnitudes().emptyLike(out.shape());
            run(side -> side.kernels().reduction().sumTo(side.of(x), side.of(out), accumulate));
            Device.reference().kernels().reduction().sumTo(x.magnitudes(), magnitude, accumulate);
            double terms = (double) shapes.get(0).size() / shapes.get(1).size();
            out.assertClose((1 + Math.sqrt(terms)) * ULP, magnitude.toDoubles());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sumOfNoElementsIsZero(boolean accumulate) {
        for (List<Shape> shapes : List.of(
                List.of(Shape.of(0), Shape.of()),
                List.of(Shape.of(0, 3), Shape.of(3)),
                List.of(Shape.of(5, 0), Shape.of(5, 1)),
                List.of(Shape.of(0, 3), Shape.of(0, 1)))) {
            Operand x = random(shapes.get(0).toArray());
            Operand out = output(accumulate, shapes.get(1));
            run(side -> side.kernels().reduction().sumTo(side.of(x), side.of(out), accumulate));
            out.assertExact();
        }
    }

    @Test
    void sumOfNanOrInfinityIsNonFinite() {
        float[] elements = new float[3 * 20];
        elements[5] = Float.NaN;
        elements[25] = Float.POSITIVE_INFINITY;
        elements[45] = Float.POSITIVE_INFINITY;
        elements[46] = Float.NEGATIVE_INFINITY;
        Operand x = of(elements, 3, 20);
        Operand out = output(false, 3, 1);
        run(side -> side.kernels().reduction().sumTo(side.of(x), side.of(out), false));
        out.assertExact();
    }

    @Test
    void maxOverReducedAxes() {
        for (List<Shape> shapes : SHAPES) {
            Operand x = random(shapes.get(0).toArray());
            Operand out = output(false, shapes.get(1));
            run(side -> side.kernels().reduction().maxTo(side.of(x), side.of(out)));
            out.assertExact();
        }
    }

    @Test
    void maxOfNanIsNan() {
        float[] elements = new float[4 * 20];
        Arrays.fill(elements, Float.NEGATIVE_INFINITY);
        elements[0] = Float.NaN;
        elements[39] = Float.NaN;
        elements[41] = Float.POSITIVE_INFINITY;
        Operand x = of(elements, 4, 20);
        Operand rows = output(false, 4, 1);
        Operand columns = output(false, 20);
        run(side -> {
            side.kernels().reduction().maxTo(side.of(x), side.of(rows));
            side.kernels().reduction().maxTo(side.of(x), side.of(columns));
        });
        rows.assertExact();
        columns.assertExact();
    }

    @Test
    void maxOfNoElementsIsMinusInfinity() {
        Operand x = random(5, 0, 3);
        Operand out = output(false, 5, 1, 3);
        run(side -> side.kernels().reduction().maxTo(side.of(x), side.of(out)));
        out.assertExact();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void maxGradientIsSharedByTies(boolean accumulate) {
        for (List<Shape> shapes : SHAPES) {
            // few distinct values, so that many are equal
            float[] elements = new float[Math.toIntExact(shapes.get(0).size())];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = i * 7919 % 11 % 4;
            }
            Operand x = of(elements, shapes.get(0).toArray());
            Operand y = output(false, shapes.get(1));
            run(side -> side.kernels().reduction().maxTo(side.of(x), side.of(y)));
            Operand largest = asInput(y);
            Operand dy = random(shapes.get(1).toArray());
            Operand dx = output(accumulate, shapes.get(0));
            run(side -> side.kernels()
                    .reduction()
                    .maxBackward(side.of(x), side.of(largest), side.of(dy), side.of(dx), accumulate));
            dx.assertClose(2 * ULP, accumulate ? 2 : 0);
        }
    }

    @Test
    void sumOfSquaresMatchesReference() {
        ReductionKernels kernels = device().kernels().reduction();
        Operand one = random(5003);
        Operand two = random(3, 7);
        Operand none = random(0);
        Operand three = random(70_001);
        double[] results = new double[8];
        run(side -> results[side.index()] = side.kernels()
                .reduction()
                .sumOfSquares(List.of(side.of(one), side.of(two), side.of(none), side.of(three))));
        // in double precision, as the contract says
        assertThat(results[1]).isCloseTo(results[0], within(results[0] * 1e-12));
        assertThat(results[2]).isEqualTo(results[1]);
        assertThat(kernels.sumOfSquares(List.of())).isZero();
        Tensor large = Tensor.of(device(), new float[] {1e30f, 1e30f}, 2);
        assertThat(kernels.sumOfSquares(List.of(large))).isCloseTo(2e60, within(2e54));
    }

    @Test
    void squaresByChunkAddUpToTheSumOfSquaresOfEachChunk() {
        Operand large = random(70_001);
        run(side -> {
            Tensor x = side.of(large);
            double[] chunks = side.kernels().reduction().squaresByChunk(x);
            assertThat(chunks).hasSize(3);
            for (int i = 0; i < chunks.length; i++) {
                long from = i * ReductionKernels.SQUARES_CHUNK;
                Tensor chunk = x.slice(from, Math.min(x.size(), from + ReductionKernels.SQUARES_CHUNK));
                assertThat(chunks[i]).isEqualTo(side.kernels().reduction().sumOfSquares(List.of(chunk)));
            }
        });
        assertThat(device().kernels().reduction().squaresByChunk(zeros(0))).isEmpty();
    }

    @Test
    void sumOfSquaresOfNonFiniteIsNonFinite() {
        ReductionKernels kernels = device().kernels().reduction();
        float[] elements = new float[5000];
        elements[4999] = Float.NaN;
        assertThat(kernels.sumOfSquares(List.of(zeros(3), Tensor.of(device(), elements, 5000))))
                .isNaN();
        elements[4999] = Float.NEGATIVE_INFINITY;
        assertThat(kernels.sumOfSquares(List.of(Tensor.of(device(), elements, 5000))))
                .isInfinite();
    }

    @Test
    void reductionRejectsWrongShapesDtypesAndDevices() {
        ReductionKernels kernels = device().kernels().reduction();
        refuses(ShapeException.class, () -> kernels.sumTo(zeros(2, 3), zeros(2), false), "sum", "[2, 3]", "[2]");
        refuses(ShapeException.class, () -> kernels.maxTo(zeros(3), zeros(1, 3)), "max", "[1, 3]");
        refuses(
                ShapeException.class,
                () -> kernels.maxBackward(zeros(2, 3), zeros(2, 1), zeros(2, 1), zeros(3, 2), false),
                "max",
                "[3, 2]");
        refuses(IllegalArgumentException.class, () -> kernels.sumTo(zeroIds(3), zeros(), false), "sum", "I32");
        refuses(IllegalArgumentException.class, () -> kernels.sumTo(zeros(3), elsewhere(1), false), "sum", "reference");
        refuses(IllegalArgumentException.class, () -> kernels.sumOfSquares(List.of(doubles(3))), "F64");
    }
}
