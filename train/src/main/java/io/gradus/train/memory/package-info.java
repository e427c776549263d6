/**
 * The memory of a run, known before it. {@link io.gradus.train.memory.MemoryPlan} makes the run's own step on a device that
 * only counts; {@link io.gradus.train.memory.RuleOfThumb} is what one reckons on paper; {@link
 * io.gradus.train.memory.Variant} changes a recipe, to compare what other settings would take and to find some that fit.
 */
@NullMarked
package io.gradus.train.memory;

import org.jspecify.annotations.NullMarked;
