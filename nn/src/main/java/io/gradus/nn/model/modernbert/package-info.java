/** ModernBERT. */
@NullMarked
package io.gradus.nn.model.modernbert;

import org.jspecify.annotations.NullMarked;
