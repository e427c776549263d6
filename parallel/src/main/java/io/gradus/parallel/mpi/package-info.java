/** Calls MPI through {@code java.lang.foreign}, without native code of our own. */
@NullMarked
package io.gradus.parallel.mpi;

import org.jspecify.annotations.NullMarked;
