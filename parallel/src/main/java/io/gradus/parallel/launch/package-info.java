/** What the launcher of a job tells its processes, and how they find each other. */
@NullMarked
package io.gradus.parallel.launch;

import org.jspecify.annotations.NullMarked;
