package io.gradus.autograd;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Philox;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.Locale;

/**
 * Compares gradients with difference quotients. The derivative of a function f is the limit of
 * {@code (f(x + h) − f(x − h)) / 2h}. This quotient is computed in double precision on {@link Device#reference()}, and
 * compared with the backward pass there and with the backward pass in single precision on the inputs' device.
 *
 * {@snippet :
 * Tensor a = Tensor.of(new float[] {1, -2, 3, 0.5f, 0, -1}, 2, 3);
 * Tensor b = Tensor.of(new float[] {0.1f, 0.2f, -0.3f}, 3, 1);
 * GradientCheck.of(x -> x[0].matmul(x[1]).tanh(), a, b).assertPasses();
 * }
 *
 * A result that is not a scalar is multiplied by fixed pseudorandom numbers and summed, so that every element counts.
 * The function must be differentiable at the inputs (keep {@code relu} away from 0) and the same each time it is
 * called.
 */
public final class GradientCheck {
    /** The allowed error in single precision, relative to the largest element of an input's gradient. */
    public static final double DEVICE_TOLERANCE = 2e-4;
    /** The allowed error in double precision, where the difference quotient itself is the inexact part. */
    public static final double REFERENCE_TOLERANCE = 1e-6;

    /** A gradient whose largest element is below this is compared absolutely. */
    private static final double ZERO = 1e-6;
    /** h, which balances the quotient's two errors: h² from the curvature and 10⁻¹⁶/h from rounding. */
    private static final double STEP = 6e-6;

    private GradientCheck() {}

    /** A function of variables, called with inputs on several devices. */
    @FunctionalInterface
    public interface Function {
        /**
         * Computes a result of any shape. Move other tensors that it reads to the input's device with {@link #matching}.
         */
        Variable apply(Variable... inputs);
    }

    /**
     * The element whose gradient had the largest error on one device.
     *
     * @param device where the backward pass ran
     * @param input the index of the input, from 0
     * @param element the index of the element in that input, row by row from 0
     * @param analytic the gradient of the backward pass
     * @param numeric the difference quotient
     * @param error their difference, relative to the largest element of that input's gradient
     * @param tolerance the allowed error
     */
    public record Worst(
            Device device, int input, int element, double analytic, double numeric, double error, double tolerance) {

        /** Whether the error is within the tolerance; false if the gradient is NaN. */
        public boolean passes() {
            return error <= tolerance;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "input %d, element %d on %s: backward pass %s, difference quotient %s, relative error %.3g"
                            + " (tolerance %.3g)",
                    input,
                    element,
                    device,
                    analytic,
                    numeric,
                    error,
                    tolerance);
        }
    }

    /**
     * The result of a check.
     *
     * @param onDevice the worst element in single precision, on the inputs' device
     * @param onReference the worst element in double precision
     */
    public record Result(Worst onDevice, Worst onReference) {

        /** Whether both errors are within their tolerances. */
        public boolean passes() {
            return onDevice.passes() && onReference.passes();
        }

        /**
         * Requires that the check passes.
         *
         * @throws AssertionError with both worst elements if an error is larger than its tolerance
         */
        public void assertPasses() {
            if (!passes()) {
                throw new AssertionError("the gradient is not the derivative: " + onReference + "; " + onDevice);
            }
        }
    }

    /** {@link #of(Function, double, double, Tensor...)} with the default tolerances. */
    public static Result of(Function function, Tensor... inputs) {
        return of(function, DEVICE_TOLERANCE, REFERENCE_TOLERANCE, inputs);
    }

    /**
     * Checks the gradient of a function with respect to every element of every input. This calls the function twice per
     * element, so inputs should be small.
     *
     * @param deviceTolerance the allowed error in single precision, see {@link #DEVICE_TOLERANCE}
     * @param referenceTolerance the allowed error in double precision, see {@link #REFERENCE_TOLERANCE}
     * @param inputs the point at which the derivative is checked, of a floating dtype and on one device; not modified
     * @throws IllegalArgumentException if there is no input, or an input holds integers
     */
    public static Result of(Function function, double deviceTolerance, double referenceTolerance, Tensor... inputs) {
        if (inputs.length == 0) {
            throw new IllegalArgumentException("gradient check: there is no input to differentiate with respect to");
        }
        for (Tensor input : inputs) {
            if (!input.dtype().isFloating()) {
                throw new IllegalArgumentException("gradient check: an input is " + input.dtype()
                        + ", which has no derivative; let the function capture it, with matching(tensor, x)");
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

    /** A tensor of data (ids, a mask, a table) on the device of a variable and, if floating, of its dtype. */
    public static Tensor matching(Tensor data, Variable x) {
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

    /** F64 on the reference device, F32 on any other. */
    private static Tensor tensor(double[] elements, Shape shape, Device device) {
        Tensor exact = Tensor.of(Device.reference(), elements, shape.toArray());
        boolean reference = device.type().equals(Device.reference().type());
        return reference ? exact : exact.to(device, DType.F32, MemoryCategory.ACTIVATIONS);
    }

    /** Numbers between −1 and 1 that F32 represents exactly. */
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
