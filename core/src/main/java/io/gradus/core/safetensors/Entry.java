package io.gradus.core.safetensors;

import io.gradus.core.Shape;

/**
 * One tensor of a safetensors file, as its header describes it.
 *
 * @param name the tensor's name, as {@code model.layers.3.mlp.up_proj.weight}
 * @param dtype the format's name of the element type, as {@code F32}, {@code BF16} or {@code I64}
 * @param shape the lengths of its axes
 * @param begin where its elements begin, in bytes after the header
 * @param end where its elements end (exclusive), in bytes after the header
 */
public record Entry(String name, String dtype, Shape shape, long begin, long end) {

    /** The number of bytes of the elements in the file. */
    public long byteSize() {
        return end - begin;
    }
}
