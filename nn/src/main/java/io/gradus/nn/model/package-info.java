/**
 * Language models in Hugging Face folders. A {@link io.gradus.nn.model.ModelFamily} reads {@code config.json} into a
 * {@link io.gradus.nn.model.ModelConfig}, which builds a {@link io.gradus.nn.model.LanguageModel}. Each family has a package of
 * its own.
 */
@NullMarked
package io.gradus.nn.model;

import org.jspecify.annotations.NullMarked;
