/** Models in a program: labels of texts, and vectors of texts. */
@NullMarked
package io.gradus.data.serve;

import org.jspecify.annotations.NullMarked;
