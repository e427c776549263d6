/**
 * Measuring: the machine and its peaks, whether others disturb it, and two contenders timed in turns so that what
 * changes meanwhile changes for both.
 */
@NullMarked
package io.gradus.bench.measure;

import org.jspecify.annotations.NullMarked;
