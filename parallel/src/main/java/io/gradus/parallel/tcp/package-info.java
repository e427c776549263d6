/** Messages by TCP connections between the processes of a job, without a library. */
@NullMarked
package io.gradus.parallel.tcp;

import org.jspecify.annotations.NullMarked;
