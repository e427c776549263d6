/** What all modules need to report errors in JSON. */
@NullMarked
package io.gradus.core.json;

import org.jspecify.annotations.NullMarked;
