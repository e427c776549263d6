/**
 * Memory and kernels. A {@link io.gradus.core.Tensor} is a dense array on a {@link io.gradus.core.Device}; a
 * {@link io.gradus.core.Backend} implements a device; a {@link io.gradus.core.Scope} frees tensors, and a
 * {@link io.gradus.core.MemoryLedger} counts their bytes. Gradients are the subject of {@code io.gradus.autograd}.
 */
@NullMarked
package io.gradus.core;

import org.jspecify.annotations.NullMarked;
