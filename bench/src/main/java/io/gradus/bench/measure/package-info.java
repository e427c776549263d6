/**
 * Measurement: the machine and its peaks, the load of other processes, and two contenders timed in turns, so that changes of the
 * machine affect both.
 */
@NullMarked
package io.gradus.bench.measure;

import org.jspecify.annotations.NullMarked;
