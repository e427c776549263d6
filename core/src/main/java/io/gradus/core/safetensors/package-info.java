/**
 * Checkpoints in the safetensors format: eight bytes with the length of the header, a JSON header with the name, dtype, shape
 * and offsets of each tensor, and the elements. {@link io.gradus.core.safetensors.SafetensorsCheckpoint} reads one
 * file or a folder of shards, {@link io.gradus.core.safetensors.SafetensorsWriter} writes either, so
 * that a crash leaves the old checkpoint or the new one. Files are checked before they are used, and no format that can run
 * code is read. The format is described at <a
 * href="https://huggingface.co/docs/safetensors">huggingface.co/docs/safetensors</a>.
 */
@NullMarked
package io.gradus.core.safetensors;

import org.jspecify.annotations.NullMarked;
