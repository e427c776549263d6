/**
 * What turns gradients into better weights. An {@link io.gradus.optim.Optimizer} changes parameters
 * ({@link io.gradus.optim.Sgd}, {@link io.gradus.optim.Adam}, {@link io.gradus.optim.AdamW}); a
 * {@link io.gradus.optim.ParameterGroup} says which of them decay; a {@link io.gradus.optim.Schedule} says how the
 * learning rate moves; {@link io.gradus.optim.GradientClipping} keeps one bad batch from throwing the weights far away.
 */
@NullMarked
package io.gradus.optim;

import org.jspecify.annotations.NullMarked;
