/**
 * Whole networks, one file per family: a record of what {@code config.json} says, and the layers, which ask
 * {@link io.gradus.nn.WeightSource} for their parameters under Hugging Face's names.
 */
@NullMarked
package io.gradus.nn.model;

import org.jspecify.annotations.NullMarked;
