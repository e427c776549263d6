/**
 * {@code ./gradus bench}: compares Gradus with libtorch in one process, on the same numbers and with the same number of threads.
 * Prints tables and appends a line to {@code bench/history.jsonl}.
 */
@NullMarked
package io.gradus.bench;

import org.jspecify.annotations.NullMarked;
