/** Checkpoints, from which a run resumes with the same bits. */
@NullMarked
package io.gradus.train.checkpoint;

import org.jspecify.annotations.NullMarked;
