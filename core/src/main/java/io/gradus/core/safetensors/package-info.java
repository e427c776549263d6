/**
 * Checkpoints in the safetensors format: eight bytes that say how long the header is, a JSON header that says what each
 * tensor is and where it lies, then the elements. {@link io.gradus.core.safetensors.SafetensorsCheckpoint} reads one
 * file or a folder of shards, memory mapped; {@link io.gradus.core.safetensors.SafetensorsWriter} writes either, so
 * that a crash leaves the old checkpoint or the new one. No byte of a file is trusted before it is checked, and nothing
 * that runs code is ever read. The format is described at <a
 * href="https://huggingface.co/docs/safetensors">huggingface.co/docs/safetensors</a>.
 */
@NullMarked
package io.gradus.core.safetensors;

import org.jspecify.annotations.NullMarked;
