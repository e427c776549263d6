/**
 * A device without memory or arithmetic. Code that runs on it, such as a training step, makes the same allocations as on other
 * devices; they are only counted in the {@link io.gradus.core.MemoryLedger}, and kernels only check their operands. So the code
 * of a run predicts the memory that it will need.
 */
@NullMarked
package io.gradus.core.meta;

import org.jspecify.annotations.NullMarked;
