/** Fine-tuned models in a program: labels of texts. */
@NullMarked
package io.gradus.data.serve;

import org.jspecify.annotations.NullMarked;
