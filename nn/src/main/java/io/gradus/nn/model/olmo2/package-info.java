/** OLMo 2. */
@NullMarked
package io.gradus.nn.model.olmo2;

import org.jspecify.annotations.NullMarked;
