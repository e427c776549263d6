/**
 * Layers. A {@link io.gradus.nn.Module} owns parameters and other modules; {@link io.gradus.nn.WeightSource} gives each parameter
 * its name and its first value, from an initialiser or from a checkpoint, so that building a model and loading one are the
 * same code. Whole networks are in {@code model}, text generation in {@code generate}.
 */
@NullMarked
package io.gradus.nn;

import org.jspecify.annotations.NullMarked;
