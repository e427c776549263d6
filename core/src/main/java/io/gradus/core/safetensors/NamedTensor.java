package io.gradus.core.safetensors;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.function.Supplier;

/**
 * A tensor to write. Name, dtype and shape are needed first, for the header; the elements are requested when they are written,
 * and need not exist before.
 *
 * @param name the name in the file
 * @param dtype the dtype in the file; elements are converted if necessary
 * @param shape the shape in the file
 * @param tensor supplies the elements, in that shape, on any device; called once per file
 */
public record NamedTensor(String name, DType dtype, Shape shape, Supplier<Tensor> tensor) {

    /** A tensor that is written in its own dtype. */
    public static NamedTensor of(String name, Tensor tensor) {
        return of(name, tensor, tensor.dtype());
    }

    /**
     * A tensor that is written in another dtype.
     *
     * @throws IllegalArgumentException if floats would become integers or vice versa
     */
    public static NamedTensor of(String name, Tensor tensor, DType dtype) {
        if (!Elements.convertible(tensor.dtype(), dtype)) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' is " + tensor.dtype() + " and cannot be written as " + dtype);
        }
        return new NamedTensor(name, dtype, tensor.shape(), () -> tensor);
    }

    /** The number of bytes of the elements in the file. */
    public long byteSize() {
        return Math.multiplyExact(shape.size(), dtype.bytes());
    }
}
