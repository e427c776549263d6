package io.gradus.bench.cases;

import io.gradus.bench.libtorch.LibTorch;
import io.gradus.core.DType;
import io.gradus.core.Device;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.global.torch;

/**
 * A tensor in both libraries, with the same numbers.
 *
 * @param ours the tensor in Gradus
 * @param theirs the tensor in libtorch
 */
record Twin(Tensor ours, org.bytedeco.pytorch.Tensor theirs) {
    private static final int BLOCK = 1 << 20;

    /** Uniform random numbers between {@code −scale} and {@code scale}. */
    static Twin random(Device device, long seed, double scale, long... shape) {
        float[] elements = new float[Math.toIntExact(Shape.of(shape).size())];
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) ((2 * random.nextDouble() - 1) * scale);
        }
        return of(device, elements, shape);
    }

    static Twin of(Device device, float[] elements, long... shape) {
        return new Twin(Tensor.of(device, elements, shape), LibTorch.tensor(elements, shape));
    }

    /** Zeros, for results. */
    static Twin zeros(Device device, long... shape) {
        return of(device, new float[Math.toIntExact(Shape.of(shape).size())], shape);
    }

    /** The same numbers in F32 or BF16: this twin if they already are. */
    Twin to(DType dtype) {
        return ours.dtype() == dtype
                ? this
                : new Twin(
                        ours.to(dtype),
                        theirs.to(dtype == DType.BF16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float));
    }

    /** The largest difference, relative to their largest number; infinite if one of ours is not finite. */
    double difference() {
        return difference(ours, theirs);
    }

    static double difference(Tensor ours, org.bytedeco.pytorch.Tensor theirs) {
        if (ours.size() != theirs.numel()) {
            throw new IllegalStateException(
                    "a result has " + ours.size() + " elements with Gradus and " + theirs.numel() + " with libtorch");
        }
        Tensor flat = ours.reshape(ours.size());
        double largest = 0;
        double difference = 0;
        for (long from = 0; from < ours.size(); from += BLOCK) {
            long to = Math.min(ours.size(), from + BLOCK);
            float[] a = flat.slice(from, to).toFloats();
            float[] b = LibTorch.elements(theirs, from, a.length);
            for (int i = 0; i < a.length; i++) {
                double apart = Math.abs(a[i] - b[i]);
                difference = Double.isFinite(apart) ? Math.max(difference, apart) : Double.POSITIVE_INFINITY;
                largest = Math.max(largest, Math.abs(b[i]));
            }
        }
        return largest == 0 ? difference : difference / largest;
    }
}
