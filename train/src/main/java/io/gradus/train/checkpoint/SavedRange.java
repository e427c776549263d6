package io.gradus.train.checkpoint;

import io.gradus.core.Shape;
import io.gradus.core.Tensor;

/**
 * The range of a tensor that one process has and writes.
 *
 * @param name of the tensor
 * @param shape of the whole tensor
 * @param from the first element of the range, in row-major order
 * @param own the elements of the range, in any shape
 */
public record SavedRange(String name, Shape shape, long from, Tensor own) {}
