/**
 * What a run trains: a {@link io.gradus.train.task.Task} says which head the model gets, reads the data, gives the loss, and scores
 * evaluations.
 */
@NullMarked
package io.gradus.train.task;

import org.jspecify.annotations.NullMarked;
