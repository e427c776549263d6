/**
 * A device without memory and without arithmetic. Whatever runs on it, a whole training step for instance, allocates as it
 * would elsewhere, and every allocation is counted in the {@link io.gradus.core.MemoryLedger} and nowhere else; every kernel
 * checks its operands and is done. So what a run will take is known before it, at no cost, from the run's own code.
 */
@NullMarked
package io.gradus.core.meta;

import org.jspecify.annotations.NullMarked;
