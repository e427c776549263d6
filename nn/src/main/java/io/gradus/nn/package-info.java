/**
 * Layers, losses and weights. A {@link io.gradus.nn.Module} has parameters and other modules. A
 * {@link io.gradus.nn.WeightSource} gives each parameter its name and its first value, from an initializer or from a
 * checkpoint, so that building a model and loading one are the same code.
 */
@NullMarked
package io.gradus.nn;

import org.jspecify.annotations.NullMarked;
