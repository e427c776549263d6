/**
 * The memory of a run, known before it starts. {@link io.gradus.train.memory.MemoryPlan} is exact; {@link
 * io.gradus.train.memory.RuleOfThumb} is the estimate of the literature; {@link io.gradus.train.memory.Variant} changes a recipe,
 * to compare settings and to find settings that fit.
 */
@NullMarked
package io.gradus.train.memory;

import org.jspecify.annotations.NullMarked;
