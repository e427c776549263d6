/** Results as tables, compared with the targets, and as a line of the history. */
@NullMarked
package io.gradus.bench.report;

import org.jspecify.annotations.NullMarked;
