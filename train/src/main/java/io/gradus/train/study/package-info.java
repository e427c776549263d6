/**
 * Studies: the same fine-tuning run with one setting changed at a time. {@link io.gradus.train.study.ForgettingStudy} compares
 * countermeasures against forgetting, {@link io.gradus.train.study.MemoryStudy} ways to save memory. Every run is a recipe with
 * some keys changed, so that it can be repeated alone.
 */
@NullMarked
package io.gradus.train.study;

import org.jspecify.annotations.NullMarked;
