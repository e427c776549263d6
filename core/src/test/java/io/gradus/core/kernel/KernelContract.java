package io.gradus.core.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.core.Device;
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
 * What the contracts of all kernel families share: operands on a device and on the reference, and a kernel run on both.
 * Every run also proves that inputs stay as they were, that nothing is written beyond an output, that operands may begin in
 * the middle of a tensor, and that all of {@link #sameBits()} agree to the last bit.
 *
 * <p>Tolerances are multiples of {@link #ULP}, the distance of 1 from the next F32: a kernel that rounds each of a few steps
 * once is off by a few of it; a sum of n terms, by about √n of it relative to the sum of their magnitudes (Higham &amp; Mary
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

    /** Devices whose results must equal those of {@link #device()} bit by bit; itself, for a second run, at least. */
    protected List<Device> sameBits() {
        return List.of(device());
    }

    /** One device of a run. */
    record Side(Device device, int index, Set<Twin> used) {
        Kernels kernels() {
            return device.kernels();
        }

        Tensor of(Twin twin) {
            used.add(twin);
            return twin.on(index);
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
    Twin random(long... shape) {
        return range(-2, 2, shape);
    }

    /** An input between two numbers. */
    Twin range(double low, double high, long... shape) {
        return add(numbers(low, high, shape), false, Shape.of(shape));
    }

    /** An input of given elements. */
    Twin of(float[] elements, long... shape) {
        return add(elements, false, Shape.of(shape));
    }

    /** An input of ids from 0 to {@code bound − 1}. */
    Twin ids(int bound, long... shape) {
        int[] elements = new int[Math.toIntExact(Shape.of(shape).size())];
        Arrays.setAll(elements, i -> random.nextInt(bound));
        return ints(elements, shape);
    }

    /** An input of given integers. */
    Twin ints(int[] elements, long... shape) {
        return Twin.ints(devices(), elements, before(), false, Shape.of(shape));
    }

    /** An output of integers, which is to be overwritten. */
    Twin intOutput(Shape shape) {
        int[] elements = new int[Math.toIntExact(shape.size())];
        Arrays.fill(elements, Integer.MIN_VALUE);
        return Twin.ints(devices(), elements, before(), true, shape);
    }

    /** An operand of random codes from {@code low} to {@code high} that is read and written. */
    Twin codes(int low, int high, long... shape) {
        byte[] elements = new byte[Math.toIntExact(Shape.of(shape).size())];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (byte) random.nextInt(low, high + 1);
        }
        return Twin.bytes(devices(), elements, before(), Shape.of(shape));
    }

    /** An output: NaN when it is to be overwritten, numbers when it is to be added to. */
    Twin output(boolean accumulate, Shape shape) {
        float[] elements = numbers(-2, 2, shape.toArray());
        if (!accumulate) {
            Arrays.fill(elements, Float.NaN);
        }
        return add(elements, true, shape);
    }

    Twin output(boolean accumulate, long... shape) {
        return output(accumulate, Shape.of(shape));
    }

    /** An operand that is read and written, of numbers between two bounds. */
    Twin state(double low, double high, long... shape) {
        return add(numbers(low, high, shape), true, Shape.of(shape));
    }

    /** What the device under test made of an output, as an input for the next kernel on all devices. */
    Twin asInput(Twin output) {
        return add(output.actual(), false, output.shape());
    }

    private float[] numbers(double low, double high, long... shape) {
        float[] elements = new float[Math.toIntExact(Shape.of(shape).size())];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) (low + (high - low) * random.nextDouble());
        }
        return elements;
    }

    private Twin add(float[] elements, boolean written, Shape shape) {
        return Twin.floats(devices(), elements, before(), written, shape);
    }

    /** Every second operand begins at the start of its tensor, the others at an odd place. */
    private int before() {
        return made++ % 2 * 3;
    }

    // ---- running ----

    /** Runs a kernel on every device and checks what holds for all kernels. */
    void run(Consumer<Side> kernel) {
        Set<Twin> used = new LinkedHashSet<>();
        for (int i = 0; i < devices().size(); i++) {
            kernel.accept(new Side(devices().get(i), i, used));
        }
        used.forEach(Twin::assertSound);
    }

    // ---- refusals ----

    /** Zeros on the device under test. */
    Tensor zeros(long... shape) {
        return Twin.zeros(device(), shape);
    }

    /** Integers on the device under test. */
    Tensor zeroIds(long... shape) {
        return Tensor.of(device(), new int[Math.toIntExact(Shape.of(shape).size())], shape);
    }

    /** Doubles, which no device but the reference computes in. */
    Tensor doubles(long... shape) {
        return Tensor.of(device(), new double[Math.toIntExact(Shape.of(shape).size())], shape);
    }

    /** A tensor of the right dtype on another device. */
    Tensor elsewhere(long... shape) {
        return Tensor.of(
                Device.reference(), new float[Math.toIntExact(Shape.of(shape).size())], shape);
    }

    /** That a kernel throws, with a message that contains all parts. */
    static void refuses(Class<? extends Throwable> type, ThrowingCallable kernel, String... parts) {
        assertThatThrownBy(kernel).isInstanceOf(type).hasMessageContainingAll(parts);
    }
}
