/** GPT-2. */
@NullMarked
package io.gradus.nn.model.gpt2;

import org.jspecify.annotations.NullMarked;
