/**
 * What fine-tuning changed: ΔW, the tuned weights minus those that training began with, as one safetensors file. {@link
 * io.gradus.train.delta.Delta} makes such a file and says what each layer moved; {@link io.gradus.train.delta.DeltaSum}
 * adds one to its base, which gives the tuned weights bit for bit, or several with factors (task arithmetic, Ilharco et
 * al. 2023). Both go through the models tensor by tensor and never hold one in memory.
 */
@NullMarked
package io.gradus.train.delta;

import org.jspecify.annotations.NullMarked;
