/**
 * Communication between the processes of a training job. A {@link io.gradus.parallel.Communicator} has the collective
 * operations: broadcast, all-gather, reduce-scatter, all-reduce. They are built from messages between two processes, which a
 * {@link io.gradus.parallel.Transport} carries: MPI or TCP connections between processes and machines, or memory copies between
 * threads of one JVM.
 */
@NullMarked
package io.gradus.parallel;

import org.jspecify.annotations.NullMarked;
