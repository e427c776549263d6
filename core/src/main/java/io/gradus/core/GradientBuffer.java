package io.gradus.core;

/**
 * Where a kernel writes a gradient.
 *
 * @param gradient of the shape of the input that it is the gradient of
 * @param accumulate true to add to it, false to overwrite it without reading it
 */
public record GradientBuffer(Tensor gradient, boolean accumulate) {}
