/**
 * ΔW: the weights of a fine-tuned model minus those of its base, as one safetensors file. {@link io.gradus.train.delta.Delta}
 * makes such a file, with statistics by layer. {@link io.gradus.train.delta.DeltaSum} adds one to its base, which restores the
 * tuned weights bit for bit, or several with factors (task arithmetic, Ilharco et al. 2023). Both process the models tensor by
 * tensor and never hold a whole model in memory.
 */
@NullMarked
package io.gradus.train.delta;

import org.jspecify.annotations.NullMarked;
