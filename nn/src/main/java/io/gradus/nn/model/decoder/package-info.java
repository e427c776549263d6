/**
 * What the families of decoders share: settings and keys of {@code config.json}, rotary positions, attention, and the gated
 * feed-forward network. Each family puts these together in one file that shows its whole network.
 */
@NullMarked
package io.gradus.nn.model.decoder;

import org.jspecify.annotations.NullMarked;
