package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Device;
import io.gradus.core.GradientBuffer;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/**
 * The base class of all kernel contracts, with operands on a device and on the reference, and kernels that run on both. Every run
 * also verifies that inputs are not modified, that nothing is written outside outputs, that operands may begin in the middle of
 * a tensor, and that all of {@link #sameBits()} give identical bits.
 *
 * <p>Tolerances are multiples of {@link #ULP}, the distance of 1 from the next F32: a kernel with a few rounded steps has
 * an error of a few ULP, and a sum of n terms about √n ULP relative to the sum of their magnitudes (Higham &amp; Mary
 * 2019).
 */
public abstract class KernelContract {
    /** 2⁻²³. */
    static final double ULP = 0x1p-23;

    private final SplittableRandom random = new SplittableRandom(20_240_229);
    private int made;
    private List<Device> devices = List.of();

    /** The device under test. */
    protected abstract Device device();

    /** Devices whose results must be bit-identical to those of {@link #device()}; by default itself, for a second run. */
    protected List<Device> sameBits() {
        return List.of(device());
    }

    /** One device of a run. */
    record Side(Device device, int index, Set<Operand> used) {
        Kernels kernels() {
            return device.kernels();
        }

        Tensor of(Operand operand) {
            used.add(operand);
            return operand.on(index);
        }

        GradientBuffer buffer(Operand gradient, boolean accumulate) {
            return new GradientBuffer(of(gradient), accumulate);
        }
    }

    private List<Device> devices() {
        if (devices.isEmpty()) {
            devices = new ArrayList<>(List.of(Device.reference(), device()));
            devices.addAll(sameBits());
        }
        return devices;
    }

    // ---- operands ----

    /** An input from −2 to 2. */
    Operand random(long... shape) {
        return range(-2, 2, shape);
    }

    /** An input with elements between two numbers. */
    Operand range(double low, double high, long... shape) {
        return add(numbers(low, high, shape), false, Shape.of(shape));
    }

    /** An input of given elements. */
    Operand of(float[] elements, long... shape) {
        return add(elements, false, Shape.of(shape));
    }

    /** An input of ids from 0 to {@code bound − 1}. */
    Operand ids(int bound, long... shape) {
        int[] elements = new int[Math.toIntExact(Shape.of(shape).size())];
        Arrays.setAll(elements, i -> random.nextInt(bound));
        return ints(elements, shape);
    }

    /** An input of given integers. */
    Operand ints(int[] elements, long... shape) {
        return Operand.ints(devices(), elements, before(), false, Shape.of(shape));
    }

    /** An output of integers that is overwritten. */
    Operand intOutput(Shape shape) {
        int[] elements = new int[Math.toIntExact(shape.size())];
        Arrays.fill(elements, Integer.MIN_VALUE);
        return Operand.ints(devices(), elements, before(), true, shape);
    }

    /** An operand of random codes from {@code low} to {@code high} that is read and written. */
    Operand codes(int low, int high, long... shape) {
        byte[] elements = new byte[Math.toIntExact(Shape.of(shape).size())];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (byte) random.nextInt(low, high + 1);
        }
        return Operand.bytes(devices(), elements, before(), Shape.of(shape));
    }

    /** An output: numbers if it accumulates, otherwise NaN. */
    Operand output(boolean accumulate, Shape shape) {
        float[] elements = numbers(-2, 2, shape.toArray());
        if (!accumulate) {
            Arrays.fill(elements, Float.NaN);
        }
        return add(elements, true, shape);
    }

    Operand output(boolean accumulate, long... shape) {
        return output(accumulate, Shape.of(shape));
    }

    /** An operand that is read and written, of numbers between two bounds. */
    Operand state(double low, double high, long... shape) {
        return add(numbers(low, high, shape), true, Shape.of(shape));
    }

    /** An operand of given elements that is read and written. */
    Operand inOut(float[] elements, long... shape) {
        return add(elements, true, Shape.of(shape));
    }

    /** The output of the device under test, as an input of the next kernel on all devices. */
    Operand asInput(Operand output) {
        return add(output.actual(), false, output.shape());
    }

    private float[] numbers(double low, double high, long... shape) {
        float[] elements = new float[Math.toIntExact(Shape.of(shape).size())];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = exact((float) (low + (high - low) * random.nextDouble()));
        }
        return elements;
    }

    /** A number near a random one that kernels under test do not round; by default the same. */
    float exact(float number) {
        return number;
    }

    private Operand add(float[] elements, boolean written, Shape shape) {
        return Operand.floats(devices(), elements, before(), written, shape);
    }

    /** Every second operand begins at the start of its tensor, the others at an odd offset. */
    private int before() {
        return made++ % 2 * 3;
    }

    // ---- running ----

    /** Runs a kernel on every device and checks what holds for all kernels. */
    void run(Consumer<Side> kernel) {
        Set<Operand> used = new LinkedHashSet<>();
        for (int i = 0; i < devices().size(); i++) {
            kernel.accept(new Side(devices().get(i), i, used));
        }
        used.forEach(Operand::assertSound);
    }

    // ---- errors ----

    /** Zeros on the device under test. */
    Tensor zeros(long... shape) {
        return Operand.zeros(device(), shape);
    }

    /** Integers on the device under test. */
    Tensor zeroIds(long... shape) {
        return Tensor.of(device(), new int[Math.toIntExact(Shape.of(shape).size())], shape);
    }

    /** Doubles, which only the reference supports. */
    Tensor doubles(long... shape) {
        return Tensor.of(device(), new double[Math.toIntExact(Shape.of(shape).size())], shape);
    }

    /** A tensor of the right dtype on another device. */
    Tensor elsewhere(long... shape) {
        return Tensor.of(
                Device.reference(), new float[Math.toIntExact(Shape.of(shape).size())], shape);
    }

    /** Asserts that a kernel throws, with a message that contains all parts. */
    static void refuses(Class<? extends Throwable> type, ThrowingCallable kernel, String... parts) {
        assertThatThrownBy(kernel).isInstanceOf(type).hasMessageContainingAll(parts);
    }
}
