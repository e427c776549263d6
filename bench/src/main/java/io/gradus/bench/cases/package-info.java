/** The cases: each does the same work on the same numbers with Gradus and with libtorch. */
@NullMarked
package io.gradus.bench.cases;

import org.jspecify.annotations.NullMarked;
