/** SmolLM3. */
@NullMarked
package io.gradus.nn.model.smollm3;

import org.jspecify.annotations.NullMarked;
