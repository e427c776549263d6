/** Runs kernels through TornadoVM: the launcher, device memory, and copies between host and device. */
@NullMarked
package io.gradus.gpu.runtime;

import org.jspecify.annotations.NullMarked;
