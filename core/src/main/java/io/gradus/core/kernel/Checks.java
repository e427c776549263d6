package io.gradus.core.kernel;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/** Checks of operands. Each error names the operation, the operands and the fix. */
public final class Checks {
    private Checks() {}

    /**
     * All tensors have the shape of the first.
     *
     * @throws ShapeException when one does not
     */
    public static void sameShape(String operation, Tensor first, Tensor... others) {
        for (Tensor other : others) {
            if (!other.shape().equals(first.shape())) {
                throw new ShapeException(operation, "shapes differ", "pass tensors of one shape", first, other);
            }
        }
    }

    /** @throws ShapeException when the tensor has another shape */
    public static void shape(String operation, Tensor tensor, Shape expected) {
        if (!tensor.shape().equals(expected)) {
            throw new ShapeException(operation, "wrong shape", "pass a tensor of shape " + expected, tensor);
        }
    }

    /**
     * All tensors are on one device and of dtypes that its kernels read and write.
     *
     * @throws IllegalArgumentException when not; names the missing conversion
     */
    public static void computable(String operation, Tensor first, Tensor... others) {
        computable(operation, first);
        for (Tensor other : others) {
            sameDevice(operation, first, other);
            computable(operation, other);
        }
    }

    private static void computable(String operation, Tensor tensor) {
        if (!tensor.backend().computesIn(tensor.dtype())) {
            dtype(operation, tensor, exact(tensor));
        }
    }

    /**
     * All tensors are on one device and of the dtype that it computes in.
     *
     * @throws IllegalArgumentException when not; names the missing conversion
     */
    public static void exact(String operation, Tensor first, Tensor... others) {
        dtype(operation, first, exact(first));
        for (Tensor other : others) {
            sameDevice(operation, first, other);
            dtype(operation, other, exact(first));
        }
    }

    private static DType exact(Tensor tensor) {
        return tensor.device().type().equals("reference") ? DType.F64 : DType.F32;
    }

    /**
     * An operand that a kernel reads in its own dtype if that is a 16-bit float, and a result that it computes.
     *
     * @throws IllegalArgumentException when the operand has another dtype, or the device computes in double precision
     */
    public static void readable(String operation, Tensor operand, Tensor out) {
        if (operand.dtype().isHalf() && !out.device().type().equals("reference")) {
            computable(operation, out);
            sameDevice(operation, operand, out);
        } else {
            computable(operation, out, operand);
        }
    }

    /**
     * A result and operands that kernels read and write in their own dtypes if these are 16-bit floats.
     *
     * @throws IllegalArgumentException when one has another dtype that the device does not compute in, or another device
     */
    public static void product(String operation, Tensor out, Tensor... operands) {
        floating(operation, out);
        for (Tensor operand : operands) {
            sameDevice(operation, out, operand);
            floating(operation, operand);
        }
    }

    private static void floating(String operation, Tensor tensor) {
        if (!tensor.dtype().isHalf() || tensor.device().type().equals("reference")) {
            computable(operation, tensor);
        }
    }

    /** I32 ids, positions or a mask, on the device of another operand. */
    public static void ids(String operation, Tensor ids, Tensor other) {
        dtype(operation, ids, DType.I32);
        sameDevice(operation, ids, other);
    }

    /** U8 codes of quantized numbers, on the device of another operand. */
    public static void codes(String operation, Tensor codes, Tensor other) {
        dtype(operation, codes, DType.U8);
        sameDevice(operation, codes, other);
    }

    private static void dtype(String operation, Tensor tensor, DType expected) {
        if (tensor.dtype() != expected) {
            String name = tensor.name() == null ? "" : tensor.name() + " ";
            throw new IllegalArgumentException(operation + ": " + name + tensor.dtype() + " " + tensor.shape() + " on "
                    + tensor.device() + " is not " + expected + "; convert it with to(DType." + expected + ")");
        }
    }

    /** Two operands are in the memory of one device. */
    public static void sameDevice(String operation, Tensor a, Tensor b) {
        // Devices of one type share their memory: cpu(1) and cpu(2) differ in threads only.
        if (!a.device().type().equals(b.device().type())
                || a.device().index() != b.device().index()) {
            throw new IllegalArgumentException(operation + ": operands are on different devices: " + a.describe()
                    + " on " + a.device() + " and " + b.describe() + " on " + b.device()
                    + "; move one of them with to(device)");
        }
    }
}
