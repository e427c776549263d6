/** What was measured, as tables, as a summary against the bars that Gradus sets itself, and as a line of history. */
@NullMarked
package io.gradus.bench.report;

import org.jspecify.annotations.NullMarked;
