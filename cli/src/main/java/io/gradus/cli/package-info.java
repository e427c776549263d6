/** The command line: one class per command, and how a run looks on a terminal. */
@NullMarked
package io.gradus.cli;

import org.jspecify.annotations.NullMarked;
