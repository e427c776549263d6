/**
 * The built-in model and text. {@link io.gradus.corpora.Corpus} names the texts, which {@link io.gradus.corpora.JavaSources}
 * reads from the source jars that Maven brings.
 */
@NullMarked
package io.gradus.corpora;

import org.jspecify.annotations.NullMarked;
