/** AWD-LSTM, the network of ULMFiT. */
@NullMarked
package io.gradus.nn.model.awdlstm;

import org.jspecify.annotations.NullMarked;
