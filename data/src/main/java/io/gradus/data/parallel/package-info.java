/** Work on several threads, for this module. */
@NullMarked
package io.gradus.data.parallel;

import org.jspecify.annotations.NullMarked;
