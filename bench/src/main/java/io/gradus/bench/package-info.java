/**
 * {@code ./gradus bench}: Gradus beside libtorch in one process, on the same numbers with as many threads, as tables on
 * the terminal and a line in {@code bench/history.jsonl}.
 */
@NullMarked
package io.gradus.bench;

import org.jspecify.annotations.NullMarked;
