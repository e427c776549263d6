/**
 * Export of a Hugging Face folder to GGUF, the file format of llama.cpp and of programs built on it, such as Ollama. {@link
 * io.gradus.train.export.GgufExport} writes the file; there is one class per architecture with its names and settings.
 */
@NullMarked
package io.gradus.train.export;

import org.jspecify.annotations.NullMarked;
