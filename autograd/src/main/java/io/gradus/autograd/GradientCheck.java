package io.gradus.autograd;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Philox;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.Arrays;

/**
 * Compares gradients with what they are defined by. The derivative of a function f is the limit of
 * {@code (f(x + h) − f(x − h)) / 2h}; this quotient, taken in double precision on {@link Device#reference()}, is held against
 * the backward pass there, and against the backward pass in single precision on the device where the inputs are.
 *
 * <pre>{@code
 * GradientCheck.of(x -> x[0].matmul(x[1]).tanh(), a, b).assertPasses();
 * }</pre>
 *
 * A result that is not a scalar is multiplied by fixed pseudo-random numbers and summed, so that every element of it counts.
 * The function must be differentiable at the inputs (keep {@code relu} away from 0), and the same each time it is called.
 */
public final class GradientCheck {
    /** How far single precision may be off, as a part of the largest element of an input's gradient. */
    public static final double DEVICE_TOLERANCE = 2e-4;
    /** The same for double precision, where the difference quotient itself is what is inexact. */
    public static final double REFERENCE_TOLERANCE = 1e-6;

    /** Below this a gradient counts as zero everywhere, and is compared absolutely. */
    private static final double ZERO = 1e-6;
    /** Balances the quotient's two errors, h² for the curve and 10⁻¹⁶/h for the digits. */
    private static final double STEP = 6e-6;

    private GradientCheck() {}

    /** A function of variables. It is called with inputs on several devices. */
    @FunctionalInterface
    public interface Function {
        /** Computes a result of any shape. Other tensors that take part come {@linkplain #beside beside} an input. */
        Variable apply(Variable... inputs);
    }

    /**
     * The element whose gradient was furthest off on one device.
     *
     * @param device where the backward pass ran
     * @param input counted from 0
     * @param element of that input, counted row by row from 0
     * @param analytic what the backward pass says
     * @param numeric what the difference quotient says
     * @param error their distance, as a part of the largest element of that input's gradient
     * @param tolerance what the error may be
     */
    public record Worst(
            Device device, int input, int element, double analytic, double numeric, double error, double tolerance) {

        /** False when the gradient is NaN. */
        public boolean passes() {
            return error <= tolerance;
        }

        @Override
        public String toString() {
            return "input %d, element %d on %s: backward pass %s, difference quotient %s, relative error %.3g (tolerance %.3g)"
                    .formatted(input, element, device, analytic, numeric, error, tolerance);
        }
    }

    /**
     * The outcome of a check.
     *
     * @param onDevice in single precision, where the inputs are
     * @param onReference in double precision
     */
    public record Result(Worst onDevice, Worst onReference) {

        public boolean passes() {
            return onDevice.passes() && onReference.passes();
        }

        /**
         * @throws AssertionError with both {@link Worst} when one is beyond its tolerance
         */
        public void assertPasses() {
            if (!passes()) {
                throw new AssertionError("the gradient is not the derivative: " + onReference + "; " + onDevice);
            }
        }
    }

    /** {@link #of(Function, double, double, Tensor...)} with the usual tolerances. */
    public static Result of(Function function, Tensor... inputs) {
        return of(function, DEVICE_TOLERANCE, REFERENCE_TOLERANCE, inputs);
    }

    /**
     * Checks the gradient of a function in every element of every input. That computes the function twice per element, so
     * inputs should be small.
     *
     * @param deviceTolerance as {@link #DEVICE_TOLERANCE}
     * @param referenceTolerance as {@link #REFERENCE_TOLERANCE}
     * @param inputs where the derivative is taken, of floating dtype and on one device; not changed
     * @throws IllegalArgumentException when there is no input, or one is of whole numbers
     */
    public static Result of(Function function, double deviceTolerance, double referenceTolerance, Tensor... inputs) {
        if (inputs.length == 0) {
            throw new IllegalArgumentException("gradient check: there is no input to differentiate by");
        }
        for (Tensor input : inputs) {
            if (!input.dtype().isFloating()) {
                throw new IllegalArgumentException("gradient check: an input is " + input.dtype()
                        + "; let the function take it from outside, with beside(tensor, x)");
            }
        }
        double[][] points = Arrays.stream(inputs).map(Tensor::toDoubles).toArray(double[][]::new);
        Shape[] shapes = Arrays.stream(inputs).map(Tensor::shape).toArray(Shape[]::new);
        double[][] numeric = differenceQuotients(function, points, shapes);
        double[][] onDevice = backwardPass(function, points, shapes, inputs[0].device());
        double[][] onReference = backwardPass(function, points, shapes, Device.reference());
        return new Result(
                worst(inputs[0].device(), onDevice, numeric, deviceTolerance),
                worst(Device.reference(), onReference, numeric, referenceTolerance));
    }

    /** A tensor of data (ids, a mask, a table) where a variable is: on its device and, if floating, of its dtype. */
    public static Tensor beside(Tensor data, Variable x) {
        DType dtype = data.dtype().isFloating() ? x.value().dtype() : data.dtype();
        return data.to(x.device(), dtype, MemoryCategory.ACTIVATIONS);
    }

    private static double[][] differenceQuotients(Function function, double[][] points, Shape[] shapes) {
        double[][] quotients = new double[points.length][];
        for (int input = 0; input < points.length; input++) {
            double[] point = points[input];
            quotients[input] = new double[point.length];
            for (int i = 0; i < point.length; i++) {
                double x = point[i];
                double h = STEP * Math.max(1, Math.abs(x));
                point[i] = x + h;
                double after = weightedSum(function, points, shapes);
                point[i] = x - h;
                double before = weightedSum(function, points, shapes);
                point[i] = x;
                quotients[input][i] = (after - before) / ((x + h) - (x - h));
            }
        }
        return quotients;
    }

    private static double weightedSum(Function function, double[][] points, Shape[] shapes) {
        double[] result = Autograd.noGrad(() -> function.apply(variables(points, shapes, Device.reference())))
                .value()
                .toDoubles();
        double[] weights = weights(result.length);
        double sum = 0;
        for (int i = 0; i < result.length; i++) {
            sum += weights[i] * result[i];
        }
        return sum;
    }

    private static double[][] backwardPass(Function function, double[][] points, Shape[] shapes, Device device) {
        Variable[] inputs = variables(points, shapes, device);
        Variable result = function.apply(inputs);
        result.backward(tensor(weights(Math.toIntExact(result.value().size())), result.shape(), device), false);
        double[][] gradients = new double[inputs.length][];
        for (int i = 0; i < inputs.length; i++) {
            Tensor gradient = inputs[i].grad();
            gradients[i] = gradient == null ? new double[points[i].length] : gradient.toDoubles();
        }
        return gradients;
    }

    private static Variable[] variables(double[][] points, Shape[] shapes, Device device) {
        Variable[] variables = new Variable[points.length];
        for (int i = 0; i < points.length; i++) {
            variables[i] = Variable.parameter("input " + i, tensor(points[i], shapes[i], device));
        }
        return variables;
    }

    /** In double precision on the reference device, in single on any other. */
    private static Tensor tensor(double[] elements, Shape shape, Device device) {
        Tensor exact = Tensor.of(Device.reference(), elements, shape.toArray());
        boolean reference = device.type().equals(Device.reference().type());
        return reference ? exact : exact.to(device, DType.F32, MemoryCategory.ACTIVATIONS);
    }

    /** Numbers between −1 and 1 that single precision holds exactly. */
    private static double[] weights(int count) {
        double[] weights = new double[count];
        Arrays.setAll(weights, i -> (float) (2 * Philox.nextDouble(new Philox.Key(1, 0, 0), i) - 1));
        return weights;
    }

    private static Worst worst(Device device, double[][] analytic, double[][] numeric, double tolerance) {
        Worst worst = new Worst(device, 0, 0, 0, 0, 0, tolerance);
        for (int input = 0; input < numeric.length; input++) {
            double scale = Arrays.stream(numeric[input]).map(Math::abs).max().orElse(0);
            for (int i = 0; i < numeric[input].length; i++) {
                double error = Math.abs(analytic[input][i] - numeric[input][i]) / (scale < ZERO ? 1 : scale);
                boolean worse = error > worst.error || Double.isNaN(error);
                if (worse && !Double.isNaN(worst.error)) {
                    worst = new Worst(device, input, i, analytic[input][i], numeric[input][i], error, tolerance);
                }
            }
        }
        return worst;
    }
}
