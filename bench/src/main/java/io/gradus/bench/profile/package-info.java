/** Where the time of a training step goes, kernel by kernel. */
@NullMarked
package io.gradus.bench.profile;

import org.jspecify.annotations.NullMarked;
