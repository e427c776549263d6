/** Guards, which skip a step, stop a run early, or end it with an error when training cannot continue. */
@NullMarked
package io.gradus.train.guard;

import org.jspecify.annotations.NullMarked;
