/**
 * The built-in model and text. {@link io.gradus.corpora.Corpus} lists the texts, which {@link io.gradus.corpora.JavaSources}
 * reads from source jars that Maven downloads.
 */
@NullMarked
package io.gradus.corpora;

import org.jspecify.annotations.NullMarked;
