/** Formats numbers, tables and commands as text. */
@NullMarked
package io.gradus.cli.print;

import org.jspecify.annotations.NullMarked;
