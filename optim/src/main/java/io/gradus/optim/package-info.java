/**
 * Optimizers and what belongs to them. An {@link io.gradus.optim.Optimizer} updates parameters from their gradients:
 * {@link io.gradus.optim.Sgd}, {@link io.gradus.optim.Adam}, {@link io.gradus.optim.AdamW},
 * {@link io.gradus.optim.AdamW8bit}, {@link io.gradus.optim.Adafactor}, or your own, written with
 * {@link io.gradus.optim.InPlace}. {@link io.gradus.optim.ParameterGroups} sets weight decay and learning rates by group,
 * {@link io.gradus.optim.Schedule} changes the learning rate from step to step, and
 * {@link io.gradus.optim.LearningRateFinder} suggests one. {@link io.gradus.optim.GradientClipping} limits the norm of
 * gradients, and {@link io.gradus.optim.LossScaler} keeps F16 gradients in range. 16-bit parameters are trained through F32
 * masters.
 *
 * <p>Against forgetting: {@link io.gradus.optim.ProximalPenalty} keeps weights close to the pre-trained
 * {@link io.gradus.optim.AnchorWeights}, optionally weighted by {@link io.gradus.optim.FisherInformation};
 * {@link io.gradus.optim.Freezing} and {@link io.gradus.optim.GradualUnfreezing} exclude layers from training; and
 * {@link io.gradus.optim.WeightAverage} averages the weights over the run.
 */
@NullMarked
package io.gradus.optim;

import org.jspecify.annotations.NullMarked;
