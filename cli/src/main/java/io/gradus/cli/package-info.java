/** The command line: one class per command, and the terminal output of a run. */
@NullMarked
package io.gradus.cli;

import org.jspecify.annotations.NullMarked;
