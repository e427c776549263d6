/**
 * What turns gradients into better weights. An {@link io.gradus.optim.Optimizer} changes parameters
 * ({@link io.gradus.optim.Sgd}, {@link io.gradus.optim.Adam}, {@link io.gradus.optim.AdamW},
 * {@link io.gradus.optim.Adafactor}, {@link io.gradus.optim.AdamW8bit}); a {@link io.gradus.optim.ParameterGroup} says
 * which of them decay and how fast they learn, by depth if wanted; a {@link io.gradus.optim.Schedule} says how the
 * learning rate moves, and a {@link io.gradus.optim.LearningRateFinder} proposes one;
 * {@link io.gradus.optim.GradientClipping} keeps one bad batch from throwing the weights far away.
 * Parameters of 16 bits are trained through F32 masters, and {@link io.gradus.optim.LossScaler} keeps gradients of F16
 * within its range.
 *
 * <p>And what keeps a pre-trained model from forgetting: {@link io.gradus.optim.ProximalPenalty} holds weights near their
 * {@link io.gradus.optim.AnchorWeights}, each by its {@link io.gradus.optim.FisherInformation} if wanted;
 * {@link io.gradus.optim.Freezing} and {@link io.gradus.optim.GradualUnfreezing} leave layers as they are;
 * {@link io.gradus.optim.WeightAverage} averages along the run.
 */
@NullMarked
package io.gradus.optim;

import org.jspecify.annotations.NullMarked;
