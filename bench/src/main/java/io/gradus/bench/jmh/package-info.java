/** Single kernels of Gradus under JMH, compared with the machine's peaks. */
@NullMarked
package io.gradus.bench.jmh;

import org.jspecify.annotations.NullMarked;
