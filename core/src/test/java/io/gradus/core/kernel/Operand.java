package io.gradus.core.kernel;

import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.MemoryCategory;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * One operand on several devices: on the reference (in F64), on the device under test, and on devices that must give the same
 * bits. Each is a view within a longer tensor with NaN (or the largest int) on both sides, which detects kernels that read or
 * write outside their operands.
 */
public final class Operand {
    private static final int BEHIND = 5;

    private final Shape shape;
    private final double[] initial;
    private final int before;
    private final boolean written;
    private final List<Tensor> whole;
    private final List<Tensor> views;

    private Operand(Shape shape, double[] initial, int before, boolean written, List<Tensor> whole) {
        this.shape = shape;
        this.initial = initial;
        this.before = before;
        this.written = written;
        this.whole = whole;
        this.views = whole.stream()
                .map(tensor -> tensor.slice(before, before + shape.size()).reshape(shape))
                .toList();
    }

    /**
     * @param devices the reference first
     * @param before the number of elements before the view
     * @param written whether kernels may write to it
     */
    static Operand floats(List<Device> devices, float[] elements, int before, boolean written, Shape shape) {
        float[] padded = new float[before + elements.length + BEHIND];
        Arrays.fill(padded, Float.NaN);
        System.arraycopy(elements, 0, padded, before, elements.length);
        double[] doubles = new double[padded.length];
        Arrays.setAll(doubles, i -> padded[i]);
        List<Tensor> whole = devices.stream()
                .map(device -> device.type().equals("reference")
                        ? Tensor.of(device, doubles, doubles.length)
                        : Tensor.of(device, padded, padded.length))
                .toList();
        return new Operand(shape, doubles, before, written, whole);
    }

    static Operand ints(List<Device> devices, int[] elements, int before, boolean written, Shape shape) {
        int[] padded = new int[before + elements.length + BEHIND];
        Arrays.fill(padded, Integer.MAX_VALUE);
        System.arraycopy(elements, 0, padded, before, elements.length);
        List<Tensor> whole = devices.stream()
                .map(device -> Tensor.of(device, padded, padded.length))
                .toList();
        double[] doubles = new double[padded.length];
        Arrays.setAll(doubles, i -> padded[i]);
        return new Operand(shape, doubles, before, written, whole);
    }

    static Operand bytes(List<Device> devices, byte[] elements, int before, Shape shape) {
        byte[] padded = new byte[before + elements.length + BEHIND];
        Arrays.fill(padded, (byte) 0xAA);
        System.arraycopy(elements, 0, padded, before, elements.length);
        List<Tensor> whole = devices.stream()
                .map(device -> Tensor.of(device, padded, padded.length))
                .toList();
        double[] doubles = new double[padded.length];
        Arrays.setAll(doubles, i -> padded[i] & 0xFF);
        return new Operand(shape, doubles, before, true, whole);
    }

    /** The operand on device i. */
    Tensor on(int i) {
        return views.get(i);
    }

    Shape shape() {
        return shape;
    }

    /** The elements on the reference. */
    double[] expected() {
        return views.getFirst().toDoubles();
    }

    /** The elements on the device under test. */
    float[] actual() {
        return views.get(1).toFloats();
    }

    /** The absolute values of the operand, on the reference. */
    Tensor magnitudes() {
        double[] values = expected();
        Arrays.setAll(values, i -> Math.abs(values[i]));
        return Tensor.of(views.getFirst().device(), values, shape.toArray());
    }

    /** Asserts that nothing was written outside outputs, and that all devices but the reference have the same bits. */
    void assertSound() {
        double[] first = null;
        for (Tensor tensor : whole) {
            double[] now = numbers(tensor);
            for (int i = 0; i < now.length; i++) {
                boolean inside = i >= before && i < before + shape.size();
                if (!(inside && written) && Double.compare(now[i], initial[i]) != 0) {
                    throw new AssertionError((inside ? "an input was changed" : "written outside an output")
                            + ", element "
                            + (i - before) + " of " + shape + " on " + tensor.device() + ": " + initial[i] + " became "
                            + now[i]);
                }
            }
            if (!tensor.device().type().equals("reference")) {
                first = first == null ? now : first;
                int mismatch = Arrays.mismatch(first, now);
                if (mismatch >= 0) {
                    throw new AssertionError("element " + (mismatch - before) + " of " + shape
                            + " differs from one run to " + "another: " + first[mismatch] + " and " + now[mismatch]);
                }
            }
        }
    }

    /** {@link Tensor#toDoubles}, but faster for F32. */
    private static double[] numbers(Tensor tensor) {
        if (tensor.dtype() != DType.F32) {
            return tensor.toDoubles();
        }
        float[] floats = tensor.toFloats();
        double[] doubles = new double[floats.length];
        for (int i = 0; i < doubles.length; i++) {
            doubles[i] = floats[i];
        }
        return doubles;
    }

    /** Asserts that each element equals that of the reference, rounded to F32. */
    void assertExact() {
        double[] expected = expected();
        float[] actual = actual();
        for (int i = 0; i < expected.length; i++) {
            if (Float.compare(actual[i] + 0f, (float) expected[i] + 0f) != 0) {
                throw new AssertionError("element " + i + " of " + shape + " is " + actual[i] + ", not " + expected[i]);
            }
        }
    }

    /**
     * Asserts that {@code |actual − expected| ≤ relative·max(|expected|, floor)} for each element. Infinities and NaN must be
     * equal.
     */
    void assertClose(double relative, double floor) {
        double[] magnitudes = new double[Math.toIntExact(shape.size())];
        Arrays.fill(magnitudes, floor);
        assertClose(relative, magnitudes);
    }

    /** The same with a floor per element: the magnitude of the terms of its sum. */
    void assertClose(double relative, double[] magnitudes) {
        double[] expected = expected();
        float[] actual = actual();
        for (int i = 0; i < expected.length; i++) {
            double allowed = relative * Math.max(Math.abs(expected[i]), magnitudes[i]);
            boolean same = Float.compare(actual[i] + 0f, (float) expected[i] + 0f) == 0;
            if (!same && !(Math.abs(actual[i] - expected[i]) <= allowed && Double.isFinite(allowed))) {
                throw new AssertionError(
                        "element " + i + " of " + shape + " is " + actual[i] + ", not " + expected[i] + " ± " + allowed
                                + "; off by " + Math.abs(actual[i] - expected[i]) / allowed * relative + " relative");
            }
        }
    }

    /** Zeros, for operands that are not compared. */
    static Tensor zeros(Device device, long... shape) {
        return Tensor.zeros(device, DType.F32, Shape.of(shape), MemoryCategory.ACTIVATIONS);
    }
}
