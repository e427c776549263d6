/**
 * Fine-tuning. {@link io.gradus.train.FineTuning} is the whole run, readable from top to bottom; {@link
 * io.gradus.train.recipe.Recipe} has its settings.
 */
@NullMarked
package io.gradus.train;

import org.jspecify.annotations.NullMarked;
