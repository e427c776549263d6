/** What scalar and vector kernels share: memory, worker threads, scratch arrays, and views with strides. */
@NullMarked
package io.gradus.core.cpu.common;

import org.jspecify.annotations.NullMarked;
