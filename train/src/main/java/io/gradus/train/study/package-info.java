/**
 * Studies: the same fine-tuning run, made several times with one setting changed, and set side by side. {@link
 * io.gradus.train.study.ForgettingStudy} asks what each way to hold a model back costs and saves, {@link
 * io.gradus.train.study.MemoryStudy} what each way to save memory does. Every run is a recipe and some keys, which the
 * results name, so that a reader can make any of them alone.
 */
@NullMarked
package io.gradus.train.study;

import org.jspecify.annotations.NullMarked;
