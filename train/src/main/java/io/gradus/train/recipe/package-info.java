/** The settings of a run: {@link io.gradus.train.recipe.Recipe}, its YAML form, and the optimizer that it describes. */
@NullMarked
package io.gradus.train.recipe;

import org.jspecify.annotations.NullMarked;
