/** Granite 3. */
@NullMarked
package io.gradus.nn.model.granite;

import org.jspecify.annotations.NullMarked;
