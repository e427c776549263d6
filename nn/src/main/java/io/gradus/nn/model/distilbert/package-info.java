/** DistilBERT. */
@NullMarked
package io.gradus.nn.model.distilbert;

import org.jspecify.annotations.NullMarked;
