/**
 * Memory and kernels. {@link io.gradus.core.Tensor} is a dense array on a {@link io.gradus.core.Device};
 * {@link io.gradus.core.Backend} is all that a device can compute; {@link io.gradus.core.Scope} says how long memory lives
 * and {@link io.gradus.core.MemoryLedger} how much there is. Nothing here knows what a gradient is.
 */
@NullMarked
package io.gradus.core;

import org.jspecify.annotations.NullMarked;
