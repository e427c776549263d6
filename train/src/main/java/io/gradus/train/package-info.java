/**
 * Fine-tuning. {@link io.gradus.train.FineTuning} is the recipe, readable top to bottom; {@link io.gradus.train.Recipe} is
 * what it can be told. Text becomes tokens in {@code text} and batches in {@code data}; {@code cli} is the command line.
 */
@NullMarked
package io.gradus.train;

import org.jspecify.annotations.NullMarked;
