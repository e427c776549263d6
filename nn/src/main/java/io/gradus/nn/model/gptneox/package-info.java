/** GPT-NeoX, and its smaller kin Pythia. */
@NullMarked
package io.gradus.nn.model.gptneox;

import org.jspecify.annotations.NullMarked;
