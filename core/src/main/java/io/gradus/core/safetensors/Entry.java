package io.gradus.core.safetensors;

import io.gradus.core.Shape;

/**
 * The header's entry for one tensor of a safetensors file.
 *
 * @param name the tensor's name, as {@code model.layers.3.mlp.up_proj.weight}
 * @param dtype the element type in the format's notation, such as {@code F32}, {@code BF16} or {@code I64}
 * @param shape the lengths of the axes
 * @param begin the start of the elements, in bytes after the header
 * @param end the end of the elements (exclusive), in bytes after the header
 */
public record Entry(String name, String dtype, Shape shape, long begin, long end) {

    /** The number of bytes of the elements in the file. */
    public long byteSize() {
        return end - begin;
    }
}
