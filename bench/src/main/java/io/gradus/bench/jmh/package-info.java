/** Single kernels of Gradus under JMH, as shares of what the machine can do. */
@NullMarked
package io.gradus.bench.jmh;

import org.jspecify.annotations.NullMarked;
