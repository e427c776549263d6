/** What encoders share, for families of one's own too: the output layer, the keys of {@code config.json}, the names of tensors. */
@NullMarked
package io.gradus.nn.model.encoder;

import org.jspecify.annotations.NullMarked;
