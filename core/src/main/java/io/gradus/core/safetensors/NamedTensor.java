package io.gradus.core.safetensors;

import io.gradus.core.DType;
import io.gradus.core.Shape;
import io.gradus.core.Tensor;
import java.util.function.Supplier;

/**
 * A tensor to be written. The header of a file comes before the elements, so that the name, dtype and shape are told
 * first; the elements are asked for when their turn comes, and need not exist before.
 *
 * @param name the name in the file
 * @param dtype the dtype in the file; elements of another are converted
 * @param shape the shape in the file
 * @param tensor gives the elements, in that shape, on any device; called once per file that is written
 */
public record NamedTensor(String name, DType dtype, Shape shape, Supplier<Tensor> tensor) {

    /** A tensor written as it is. */
    public static NamedTensor of(String name, Tensor tensor) {
        return of(name, tensor, tensor.dtype());
    }

    /**
     * A tensor written in a dtype of the caller's choice.
     *
     * @throws IllegalArgumentException when floats would become integers or the other way round
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
