package io.gradus.core.kernel;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.ShapeException;
import io.gradus.core.Tensor;

/** Checks that several kernel families share. Each names the operation in its error. */
public final class Checks {
    private Checks() {}

    /** All tensors have the shape of the first. */
    public static void sameShape(String operation, Tensor first, Tensor... others) {
        for (Tensor other : others) {
            shape(operation, other, first.shape());
        }
    }

    public static void shape(String operation, Tensor tensor, Shape expected) {
        if (!tensor.shape().equals(expected)) {
            throw new ShapeException(
                    operation, "shapes differ", "the second is the one expected", tensor.shape(), expected);
        }
    }

    /**
     * All tensors are on one device and of one dtype that it computes in.
     *
     * @throws IllegalArgumentException when not; says which conversion is missing
     */
    public static void computable(String operation, Tensor first, Tensor... others) {
        boolean reference = first.device().type().equals("reference");
        DType expected = reference ? DType.F64 : DType.F32;
        dtype(operation, first, expected);
        for (Tensor other : others) {
            sameDevice(operation, first, other);
            dtype(operation, other, expected);
        }
    }

    /**
     * An operand that a kernel converts on the way when it is a float of 16 bits, beside a result that is computed on.
     *
     * @throws IllegalArgumentException when it is of another dtype, or the device computes in double
     */
    public static void readable(String operation, Tensor operand, Tensor out) {
        if (operand.dtype().isHalf() && !out.device().type().equals("reference")) {
            computable(operation, out);
            sameDevice(operation, operand, out);
        } else {
            computable(operation, out, operand);
        }
    }

    /** A tensor of ids, positions or a mask, on the device of the operation's other operands. */
    public static void ids(String operation, Tensor ids, Tensor other) {
        dtype(operation, ids, DType.I32);
        sameDevice(operation, ids, other);
    }

    /** A tensor of quantised numbers, on the device of the operation's other operands. */
    public static void codes(String operation, Tensor codes, Tensor other) {
        dtype(operation, codes, DType.U8);
        sameDevice(operation, codes, other);
    }

    private static void dtype(String operation, Tensor tensor, DType expected) {
        if (tensor.dtype() != expected) {
            throw new IllegalArgumentException(
                    operation + ": an operand is " + tensor.dtype() + " " + tensor.shape() + " on " + tensor.device()
                            + " where " + expected + " is computed on; convert it with to(DType." + expected + ")");
        }
    }

    /** Two operands share a backend's memory. */
    public static void sameDevice(String operation, Tensor a, Tensor b) {
        // Devices of one type share their memory: cpu(1) and cpu(2) differ in threads only.
        if (!a.device().type().equals(b.device().type())
                || a.device().index() != b.device().index()) {
            throw new IllegalArgumentException(operation + ": operands are on " + a.device() + " and " + b.device()
                    + "; move one with to(device)");
        }
    }
}
