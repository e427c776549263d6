/** Short programs to read from top to bottom. */
@NullMarked
package io.gradus.examples;

import org.jspecify.annotations.NullMarked;
